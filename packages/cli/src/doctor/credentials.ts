import { type CredentialFacts, inspectCredential } from "@reveille/push-services";
import { type EpochMillis, hours, type PushModule } from "@reveille/wakeup";

import { moduleSettingsOf } from "../modules/module-settings.ts";
import { reasonOf } from "../terminal/reason-of.ts";
import { about, type Finding } from "./finding.ts";
import { type Check } from "./doctor-context.ts";

/** Apple's certificates last 13 months; three weeks are enough to notice a warning. */
const SOON = hours(21 * 24);

/** The files by which each module proves itself to its push service: there, in order, not about to expire. */
export const checkCredentials: Check = async ({ config, clock }) =>
  Promise.all(
    Array.from(moduleSettingsOf(config), async ([module, settings]) => {
      try {
        return judgeCredential(module, await inspectCredential(settings), clock.now());
      } catch (error) {
        return about(item(module)).fail(
          reasonOf(error),
          `put the file there that modules.${module}.${settings.kind} names, as ${settings.kind === "apns" ? "Apple" : "Google"} hands it out`,
        );
      }
    }),
  );

const item = (module: PushModule): string => `credential of ${module}`;

export function judgeCredential(module: PushModule, facts: CredentialFacts, now: EpochMillis): Finding {
  const { ok, warn, fail } = about(item(module));
  const { kind, expiresAt, exposed } = facts;
  const renew = "renew it at developer.apple.com and replace the file; the workers take it within a minute";
  if (expiresAt !== undefined && expiresAt <= now)
    return fail("has expired: Apple refuses every push", renew);
  if (expiresAt !== undefined && expiresAt - now < SOON) {
    return warn(`expires in ${daysUntil(expiresAt, now)} days`, renew);
  }
  if (exposed.length > 0) {
    return warn(
      `every user of this machine can read ${exposed.join(", ")}`,
      `chmod 600 ${exposed.join(" ")}`,
    );
  }
  if (kind === "service-account") return ok("a service account, which does not expire");
  if (kind === "token") return ok("a signing key, which does not expire");
  return ok(
    `a certificate, valid for ${expiresAt === undefined ? "ever" : `${daysUntil(expiresAt, now)} days`}`,
  );
}

/** Whole days left; 0 in the last one. */
export const daysUntil = (then: EpochMillis, now: EpochMillis): number =>
  Math.floor((then - now) / hours(24));
