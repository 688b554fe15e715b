export { type AdmissionOptions } from "./admission-options.ts";
export { type Backlog, type BacklogOptions, redisBacklog, type SettledPush } from "./backlog.ts";
export { type Clearance } from "./clearance.ts";
export { LONGEST_THROTTLE } from "./departure.ts";
export { type DeviceMemory, type Suspicion } from "./device-memory.ts";
export { type DeviceRecords, deviceRecords, type DeviceStatus } from "./device-records.ts";
export { discardTrailing, type DiscardOptions } from "./discard-trailing.ts";
export { type DeadReason, type DeviceState } from "./device-state.ts";
export { type NewDeviceLimits } from "./new-devices.ts";
export { type Admission, redisAdmission } from "./redis-admission.ts";
export {
  openRegionSecret,
  shareRegionSecret,
  type SharedSecret,
  type SharedSecretOptions,
} from "./region-secret.ts";
export {
  openServedModules,
  type ServedModules,
  type ServedModulesOptions,
  type ServedName,
} from "./served-modules.ts";
export { type Trailing, type TrailingBacklog, type TrailingClaim } from "./trailing.ts";
export { trailingStatus, type TrailingStatus } from "./trailing-status.ts";
export {
  type ClearSender,
  type ClearSenders,
  clearSendersSeen,
  openClearSenders,
} from "./domains/clear-senders.ts";
export { type DomainLimit } from "./domains/domain-limit.ts";
export { type DomainPattern, parseDomainPattern } from "./domains/domain-name.ts";
export { type DomainRule } from "./domains/domain-rule.ts";
export { type DomainRules, domainRules } from "./domains/domain-rules.ts";
export { openRegionCounts, type RegionCounts, type RegionCountsOptions } from "./domains/region-counts.ts";
export { type DomainGrouping, registrableDomain } from "./domains/registrable-domain.ts";
export { type RuledDomain } from "./domains/rule-book.ts";
export {
  openSenderLimits,
  type SenderLimits,
  type SenderLimitsOptions,
  type SenderRefusal,
} from "./domains/sender-limits.ts";
