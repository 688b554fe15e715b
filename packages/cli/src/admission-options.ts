import { type AdmissionOptions } from "@reveille/admission";
import { systemClock } from "@reveille/runtime";

import { type RoleContext } from "./role.ts";

/** Admission as ingress and worker share it. */
export const admissionOptionsOf = ({
  config,
  current,
  observe,
  redis,
  secret,
}: RoleContext): AdmissionOptions => ({
  redis,
  region: config.region,
  secret,
  windowOf: (module) => current().modules.get(module)?.window ?? current().admission.window,
  forgetDeadAfter: () => current().admission.forgetDeadAfter,
  clock: systemClock,
  observe,
});
