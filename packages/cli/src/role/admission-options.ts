import { type AdmissionOptions, type DomainLimit } from "@reveille/admission";
import { type Config } from "@reveille/runtime";
import { type Millis, type PushModule } from "@reveille/wakeup";

import { type RoleContext } from "./role.ts";

/** Of a role, or of a command. */
export type AdmissionContext = Pick<
  RoleContext,
  "config" | "current" | "observe" | "redis" | "secret" | "regionClock"
>;

/** Admission as ingress and worker share it. */
export const admissionOptionsOf = ({
  config,
  current,
  observe,
  redis,
  secret,
  regionClock,
}: AdmissionContext): AdmissionOptions => ({
  redis,
  region: config.region,
  secret,
  windowOf: (module) => windowsOf(current())(module),
  forgetDeadAfter: () => current().admission.forgetDeadAfter,
  mostDeadDevices: () => current().admission.mostDeadDevices,
  newDevices: () => {
    const { newDevices, rememberDevices } = current().admission;
    return {
      perDomain: limitOf(newDevices.perDomain),
      inAll: limitOf(newDevices.inAll),
      rememberFor: rememberDevices,
    };
  },
  clock: regionClock,
  observe,
});

/** A limit of the configuration. */
export const limitOf = ({ rate, burst }: Config["ingress"]["domainLimit"]): DomainLimit => ({
  perSecond: rate,
  burst,
});

/** The window of each module. */
export const windowsOf =
  ({ modules, admission }: Config) =>
  (module: PushModule): Millis =>
    modules.get(module)?.window ?? admission.window;
