import { authorityOf, type Endpoint, hostOf, portOf, proxyOf } from "../http2/endpoint.ts";
import { type Credential } from "../credentials/credential.ts";
import { type ApnsSettings } from "../module-settings.ts";

/** Apple, "Sending notification requests to APNs". */
const HOSTS = { production: "api.push.apple.com", sandbox: "api.sandbox.push.apple.com" } as const;

/** Where a module's pushes go. `ca`: content of its `caFile`. */
export function endpointOf(settings: ApnsSettings, credential: Credential, ca: Buffer | undefined): Endpoint {
  const { endpoint, environment, proxy, proxyPasswordFile } = settings;
  return {
    host: endpoint === undefined ? HOSTS[environment] : hostOf(endpoint),
    port: endpoint === undefined ? 443 : portOf(endpoint),
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(credential.kind === "certificate" ? credential.certificate.tls : {}),
    },
    ...(proxy === undefined ? {} : { proxy: proxyOf(proxy, proxyPasswordFile) }),
  };
}

/**
 * Modules with the same key share connections: Apple binds a connection to one environment and one team, and
 * wants a key of its own on each ("Establishing a token-based connection to APNs").
 */
export function poolKeyOf(settings: ApnsSettings): string {
  const { environment, endpoint, proxy, proxyPasswordFile, caFile, credential } = settings;
  const identity =
    credential.kind === "token"
      ? [credential.teamId, credential.keyId, credential.keyFile]
      : [credential.certFile, credential.keyFile, credential.passphraseFile];
  return JSON.stringify([environment, endpoint, proxy, proxyPasswordFile, caFile, ...identity]);
}

/** What people call the pool: no secret in it, and as many as there are pools in the configuration. */
export function poolNameOf({ environment, credential }: ApnsSettings, endpoint: Endpoint): string {
  const id = credential.kind === "token" ? credential.keyId : credential.certFile.replace(/^.*\//, "");
  return `${environment} ${authorityOf(endpoint)} ${id}`;
}
