export {
  type ClientAuthority,
  createClientAuthority,
  type PushCertificate,
} from "./certificate/client-authority.ts";
export { type SimulatorClock } from "./clock.ts";
export { type DeathReason, type DeviceDetails, type Devices } from "./devices/devices.ts";
export { type Throttle } from "./devices/throttle.ts";
export { type ErrorCode } from "./error-code.ts";
export { type ConnectFault, type ConnectFaults } from "./faults/connect-faults.ts";
export { type Goaway } from "./faults/goaway.ts";
export { type ActiveRule, type Fault, type PushMatch, type Rule } from "./faults/rule.ts";
export { type Rules } from "./faults/rules.ts";
export { type Latency } from "./latency.ts";
export { type Ledger, type Push } from "./ledger.ts";
export { type ApnsSimulatorOptions } from "./options.ts";
export { runPushSimulator, type RunOptions } from "./run.ts";
export { type ConnectionView } from "./server/connection.ts";
export { type Behaviour } from "./settings.ts";
export { type ApnsSimulator, startApnsSimulator } from "./simulator.ts";
export { type Stats } from "./stats.ts";
export {
  startThroughputServer,
  type ThroughputOptions,
  type ThroughputServer,
} from "./throughput/start-throughput-server.ts";
export { type Environment, type ProviderKey } from "./validation/provider-token.ts";
export {
  type FcmPush,
  type FcmRule,
  type FcmSimulator,
  type FcmSimulatorOptions,
  startFcmSimulator,
} from "./fcm/fcm-simulator.ts";
