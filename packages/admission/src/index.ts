export { type AdmissionOptions } from "./admission-options.ts";
export { LONGEST_THROTTLE } from "./departure.ts";
export { type DeviceMemory, type Suspicion } from "./device-memory.ts";
export { type Admission, redisAdmission } from "./redis-admission.ts";
export { openRegionSecret } from "./region-secret.ts";
export { type Trailing, type TrailingBacklog, type TrailingClaim } from "./trailing.ts";
