export { askSentinel, type SentinelView } from "./ask-sentinel.ts";
export { type QueuedWakeup } from "./batch.ts";
export { type BatchId } from "./batch-id.ts";
export { certainRefusal } from "./certain-refusal.ts";
export { type ConsumerOptions, consumeWakeups, type WakeupConsumer } from "./consume-wakeups.ts";
export { type QueueCounts } from "./counts.ts";
export { type Disposition } from "./disposition.ts";
export { isSamePrimary, type NamedPrimary, primariesIn } from "./named-primary.ts";
export { aclRuleOf, forbiddenCommands } from "./needed-commands.ts";
export { openProducerRedis, type OpenRedisOptions, openWorkerRedis } from "./open-redis.ts";
export { type DurabilityOptions, watchDurability } from "./redis-durability.ts";
export { isRedisAway } from "./redis-away.ts";
export { type Packing, readPacking, tellPacking } from "./redis-packing.ts";
export { readRedisFacts, type RedisFacts } from "./redis-facts.ts";
export { type RedisRoom, type RedisRoomOptions, watchRedisRoom } from "./redis-room.ts";
export {
  type RedisAddress,
  type RedisLogin,
  type RedisSentinels,
  type RedisSettings,
  type RedisTls,
  type SentinelAddress,
} from "./redis-settings.ts";
export { openQueueControl, type QueueControl, type QueueStatus } from "./queue-control.ts";
export { openRegionClock, type RegionClock, type RegionClockOptions } from "./region-clock.ts";
export { type RegionHealth, type RegionHealthOptions, watchRegionHealth } from "./region-health.ts";
export { openRegionSigns, type RegionSigns, type RegionSignsOptions } from "./region-signs.ts";
export { type RewriteOptions, rewriteAppendOnlyFiles } from "./rewrite-append-only-file.ts";
export { type SentinelSight, type SentinelWatch, watchSentinels } from "./watch-sentinels.ts";
export {
  openWakeupQueue,
  type QueueStanding,
  type WakeupQueue,
  type WakeupQueueOptions,
} from "./wakeup-queue.ts";
export {
  followPushTests,
  openPushTest,
  type OpenPushTest,
  type PushTests,
  type PushTestsOptions,
} from "./push-tests.ts";
export { type TestAnswer } from "./test-answer.ts";
