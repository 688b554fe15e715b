import { type AdmissionOptions } from "@reveille/admission";
import { systemClock } from "@reveille/runtime";

import { type RoleContext } from "./role.ts";

/** Admission as ingress and worker share it. */
export const admissionOptionsOf = ({ config, observe, redis, secret }: RoleContext): AdmissionOptions => ({
  redis,
  region: config.region,
  secret,
  windowOf: (module) => config.modules.get(module)?.window ?? config.admission.window,
  forgetDeadAfter: config.admission.forgetDeadAfter,
  clock: systemClock,
  observe,
});
