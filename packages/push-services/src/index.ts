export { type Engine } from "./apns/route.ts";
export { payloadMistake } from "./apns/notification.ts";
export { type ApnsSettings, type CredentialSettings, type ModuleSettings } from "./module-settings.ts";
export {
  type CredentialExpiry,
  openPushServices,
  type PushServices,
  type PushServicesOptions,
} from "./push-services.ts";
export { probeApns, type ProbeAnswer, type ProbeOptions } from "./apns/probe.ts";
export { type CredentialFacts, inspectCredential } from "./credentials/inspect-credential.ts";
