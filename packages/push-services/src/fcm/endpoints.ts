import { type Endpoint, hostOf, portOf, proxyOf } from "../http2/endpoint.ts";
import { type FcmSettings } from "../module-settings.ts";

const HOST = "fcm.googleapis.com";

/** Where a project's pushes go. `ca`: content of its `caFile`. */
export function fcmEndpointOf(settings: FcmSettings, ca: Buffer | undefined): Endpoint {
  const { endpoint } = settings;
  const address =
    endpoint === undefined ? { host: HOST, port: 443 } : { host: hostOf(endpoint), port: portOf(endpoint) };
  return { ...address, ...wayOf(settings, ca) };
}

/** Where its access tokens come from: the service account says so. */
export const tokenEndpointOf = (tokenUri: URL, settings: FcmSettings, ca: Buffer | undefined): Endpoint => ({
  host: hostOf(tokenUri),
  port: portOf(tokenUri),
  ...wayOf(settings, ca),
});

/** Modules with the same key share connections and access tokens. */
export const fcmKeyOf = (settings: FcmSettings): string => {
  const { projectId, serviceAccountFile, endpoint, caFile, proxy, proxyPasswordFile } = settings;
  return JSON.stringify(["fcm", projectId, serviceAccountFile, endpoint, caFile, proxy, proxyPasswordFile]);
};

const wayOf = (
  { proxy, proxyPasswordFile }: FcmSettings,
  ca: Buffer | undefined,
): Pick<Endpoint, "tls" | "proxy"> => ({
  tls: ca === undefined ? {} : { ca },
  ...(proxy === undefined ? {} : { proxy: proxyOf(proxy, proxyPasswordFile) }),
});
