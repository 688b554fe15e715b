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
export {
  type CertificateAuthority,
  issueCertificate,
  makeSigningKey,
  openCertificateAuthority,
} from "./certificates.ts";
export { until, within } from "./until.ts";
export { type ProxyOptions, startProxy, type TestProxy } from "./http-proxy.ts";
export { fieldsOf } from "./fields-of.ts";
export { heapUsed } from "./heap-used.ts";
export { ManualClock } from "./manual-clock.ts";
export { type NotifySocket, openNotifySocket } from "./notify-socket.ts";
export { type FoundProcess, isRunning, processesInheriting } from "./processes.ts";
export { type LogLine, Program, type ProgramOptions } from "./program.ts";
export { launchProsody, type ProsodyOptions, startProsody, type TestProsody } from "./prosody.ts";
export { aPublish, type PublishParts } from "./publish.ts";
export { startRedis, type TestRedis } from "./redis.ts";
export {
  openServerDouble,
  type ServerDouble,
  type ServerDoubleOptions,
  type WireReply,
} from "./server-double.ts";
