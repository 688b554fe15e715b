export { aModule, aRegion, aRegionSecret, aToken, aWakeup } from "./fixtures.ts";
export { ManualClock } from "./manual-clock.ts";
export { startRedis, type TestRedis } from "./redis.ts";
