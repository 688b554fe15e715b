export { type Brand } from "./brand.ts";
export { type Clock } from "./clock.ts";
export { type Counted, type CountedBatch, type CountedDomain, type DomainRecord } from "./counted.ts";
export { detached } from "./detached.ts";
export {
  type DeviceToken,
  isDeviceToken,
  packToken,
  parseDeviceToken,
  type TokenKind,
  unpackToken,
} from "./device-token.ts";
export { type CanaryDelivery, type CanaryEvent, type CanaryReply } from "./events/canary-event.ts";
export { type FrontEvent, type FrontLimit } from "./events/front-event.ts";
export { type ComponentState, type IngressEvent, type SenderSoftware } from "./events/ingress-event.ts";
export { type Observe, type PushEvent } from "./events/push-event.ts";
export { type ConnectionState, type PushServiceEvent } from "./events/push-service-event.ts";
export { type DispositionKind, type QueueEvent } from "./events/queue-event.ts";
export { type SidecarEvent } from "./events/sidecar-event.ts";
export { decodeText } from "./decode-text.ts";
export { failureReason } from "./failure-reason.ts";
export { networkTrouble } from "./network-trouble.ts";
export {
  type BucketKey,
  bucketKeyOf,
  type DeviceKey,
  deviceKeyFrom,
  deviceKeyOf,
  type DomainKey,
  domainKeyOf,
  type Fingerprint,
  budgetKeyOf,
  fingerprintOf,
  isRegionSecret,
  parseFingerprint,
  type RegionSecret,
  type SecretSource,
} from "./fingerprint.ts";
export {
  type Health,
  type HostRole,
  isRole,
  type MetricFamily,
  type MetricValue,
  parseSocketName,
  type PartHealth,
  type Role,
  type RoleReport,
  ROLES,
} from "./health.ts";
export { type Outcome, type OutcomeKind } from "./outcome.ts";
export { isPushModule, type PushModule } from "./push-module.ts";
export {
  REDIS_KEY_KINDS,
  type RedisKeyDescription,
  redisKeyKind,
  type RedisKeyKind,
} from "./redis-key-kinds.ts";
export { type BudgetPool, QUEUE_NAME, type RedisKeys, redisKeysOf, type Sign } from "./redis-keys.ts";
export { isRegion, type Region } from "./region.ts";
export { type PublishResult, type ReplyKind } from "./reply.ts";
export {
  between,
  type EpochMillis,
  epochMillis,
  hours,
  later,
  type Millis,
  millis,
  minutes,
  seconds,
} from "./time.ts";
export { Script, type ScriptRunner } from "./script.ts";
export { type Verdict, type VerdictKind } from "./verdict.ts";
export { apnsIdOf, type Wakeup } from "./wakeup.ts";
