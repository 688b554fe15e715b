import { openClearSenders, openSenderLimits, type SenderLimits } from "@reveille/admission";
import { type Observe } from "@reveille/wakeup";

import { limitOf } from "./admission-options.ts";
import { type RoleContext } from "./role.ts";

/** The operator's limits of sending domains. Throws what Redis throws. */
export async function openLimitsOf({
  config,
  current,
  redis,
  secret,
  regionClock,
}: RoleContext): Promise<SenderLimits> {
  return openSenderLimits({
    redis,
    region: config.region,
    secret,
    clock: regionClock,
    defaultLimit: () => limitOf(current().ingress.domainLimit),
    queryLimit: () => limitOf(current().ingress.queryLimit),
    newDeviceLimit: () => limitOf(current().admission.newDevices.perDomain),
    grouping: () => current().ingress.countDomains,
  });
}

/** Domains are no labels, and logs do not name them: who sends content in clear stands in a list of the region. */
export function noticingClearSenders(
  { config, observe, redis, regionClock }: RoleContext,
  starting: AsyncDisposableStack,
): Observe {
  const senders = starting.use(openClearSenders({ redis, region: config.region, clock: regionClock }));
  return (event) => {
    observe(event);
    if (event.kind === "clear-content-seen") senders.note(event.domain, event.software);
  };
}
