export { freePort } from "./addresses.ts";
export { aModule, aRegion, aRegionSecret, aToken, aWakeup } from "./fixtures.ts";
export { ManualClock } from "./manual-clock.ts";
export { isRunning, processesWith } from "./processes.ts";
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
