export { type AdmissionOptions } from "./admission-options.ts";
export { LONGEST_THROTTLE } from "./departure.ts";
export { type DeviceMemory, type Suspicion } from "./device-memory.ts";
export { type DeviceRecords, deviceRecords, type DeviceStatus } from "./device-records.ts";
export { type DeadReason, type DeviceState } from "./device-state.ts";
export { type Admission, redisAdmission } from "./redis-admission.ts";
export { openRegionSecret } from "./region-secret.ts";
export { type Trailing, type TrailingBacklog, type TrailingClaim } from "./trailing.ts";
