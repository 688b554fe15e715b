export { type Engine } from "./apns/route.ts";
export {
  type ApnsModuleSettings,
  type ApnsSettings,
  type CredentialSettings,
  type FcmModuleSettings,
  type ModuleSettings,
} from "./module-settings.ts";
export {
  type CredentialExpiry,
  openPushServices,
  type PushServices,
  type PushServicesOptions,
} from "./push-services.ts";
export { payloadMistake } from "./payload-mistake.ts";
export { probeApns, type ProbeAnswer, type ProbeOptions } from "./apns/probe.ts";
export { type FcmProbeAnswer, type FcmProbeOptions, probeFcm } from "./fcm/probe.ts";
export { type CredentialFacts, inspectCredential } from "./credentials/inspect-credential.ts";
