import { type AdmissionOptions } from "@reveille/admission";
import { systemClock } from "@reveille/runtime";

import { type RoleContext } from "./role.ts";

/** Of a role, or of a command. */
export type AdmissionContext = Pick<RoleContext, "config" | "current" | "observe" | "redis" | "secret">;

/** Admission as ingress and worker share it. */
export const admissionOptionsOf = ({
  config,
  current,
  observe,
  redis,
  secret,
}: AdmissionContext): AdmissionOptions => ({
  redis,
  region: config.region,
  secret,
  windowOf: (module) => current().modules.get(module)?.window ?? current().admission.window,
  forgetDeadAfter: () => current().admission.forgetDeadAfter,
  clock: systemClock,
  observe,
});
