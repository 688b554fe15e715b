export { type FrontLimits } from "./limits.ts";
export { type ListenAddress } from "./listen.ts";
export { type Routed } from "./router.ts";
export { anyAddress, publicAddressesOnly } from "./s2s/address-rule.ts";
export { parseDomain } from "./s2s/domain-name.ts";
export { type NameResolver } from "./s2s/find-server.ts";
export { type Certificate, type TlsMaterial } from "./s2s/tls-server.ts";
export { type Front, type FrontOptions, type FrontReading, startFront } from "./start-front.ts";
