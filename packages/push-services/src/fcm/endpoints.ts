import { type Endpoint, hostOf, portOf } from "../http2/endpoint.ts";
import { type FcmSettings } from "../module-settings.ts";

const HOST = "fcm.googleapis.com";

/** Where a project's pushes go. `ca`: content of its `caFile`. */
export function fcmEndpointOf({ endpoint, proxy }: FcmSettings, ca: Buffer | undefined): Endpoint {
  const address =
    endpoint === undefined ? { host: HOST, port: 443 } : { host: hostOf(endpoint), port: portOf(endpoint) };
  return { ...address, ...wayOf(proxy, ca) };
}

/** Where its access tokens come from: the service account says so. */
export const tokenEndpointOf = (tokenUri: URL, { proxy }: FcmSettings, ca: Buffer | undefined): Endpoint => ({
  host: hostOf(tokenUri),
  port: portOf(tokenUri),
  ...wayOf(proxy, ca),
});

/** Modules with the same key share connections and access tokens. */
export const fcmKeyOf = ({ projectId, serviceAccountFile, endpoint, caFile, proxy }: FcmSettings): string =>
  JSON.stringify(["fcm", projectId, serviceAccountFile, endpoint, caFile, proxy]);

const wayOf = (proxy: URL | undefined, ca: Buffer | undefined): Pick<Endpoint, "tls" | "proxy"> => ({
  tls: ca === undefined ? {} : { ca },
  ...(proxy === undefined ? {} : { proxy: { host: hostOf(proxy), port: portOf(proxy) } }),
});
