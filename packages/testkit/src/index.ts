export { anElement, letters, mutationsOf, splitAt } from "./arbitrary-xml.ts";
export { freePort } from "./addresses.ts";
export {
  type CommandLine,
  debianRoot,
  type DebianRootOptions,
  type InDebianRoot,
  inDebianRoot,
  whyNoDebianRoot,
} from "./debian-root.ts";
export { type Address, ask, askInNetworkOf, type Question } from "./ask.ts";
export { askRole, readinessOf } from "./ask-role.ts";
export { aModule, anFcmToken, aRegion, aRegionSecret, aToken, aWakeup } from "./fixtures.ts";
export { type Apns, type ReceivedPush } from "./local-region/apns.ts";
export {
  type CertificateAuthority,
  issueCertificate,
  makeSigningKey,
  openCertificateAuthority,
} from "./local-region/certificates.ts";
export { type ChatClient, type PushRegistration } from "./local-region/chat-client.ts";
export { type WakeupRecord } from "./local-region/records.ts";
export { type Sender } from "./local-region/sender.ts";
export { type Region, type RegionOptions, startRegion } from "./local-region/start-region.ts";
export { until } from "./local-region/until.ts";
export { type ReceivedReply, type SentPublish } from "./local-region/witness.ts";
export { type ProxyOptions, startProxy, type TestProxy } from "./http-proxy.ts";
export { heapUsed } from "./heap-used.ts";
export { ManualClock } from "./manual-clock.ts";
export { type NotifySocket, openNotifySocket } from "./notify-socket.ts";
export { type FoundProcess, isRunning, processesInheriting } from "./processes.ts";
export { type LogLine, Program, type ProgramOptions } from "./program.ts";
export { type ProsodyOptions, startProsody, type TestProsody } from "./prosody.ts";
export { aPublish, type PublishParts } from "./publish.ts";
export { startRedis, type TestRedis } from "./redis.ts";
export {
  openServerDouble,
  type ServerDouble,
  type ServerDoubleOptions,
  type WireReply,
} from "./server-double.ts";
