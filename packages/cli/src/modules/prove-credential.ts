import { isDeepStrictEqual } from "node:util";

import { type ModuleSettings, probeApns, probeFcm } from "@reveille/push-services";
import { type Clock, type PushModule, seconds } from "@reveille/wakeup";

import { withTimeout } from "../with-timeout.ts";

const TIMEOUT = seconds(4);

/** Whether both reach the push service in the same way and with the same credential. */
export const isSameWay = (one: ModuleSettings, other: ModuleSettings): boolean =>
  isDeepStrictEqual(wayOf(one), wayOf(other));

const wayOf = (settings: ModuleSettings): unknown =>
  settings.kind === "apns" ? settings.apns : settings.fcm;

/**
 * Has the push service judge credential, topic and address by a push for nobody. Throws an Error with what it says, or
 * that it says nothing: what serves now is not given up for what may not serve.
 */
export async function proveCredential(
  module: PushModule,
  settings: ModuleSettings,
  clock: Clock,
): Promise<void> {
  const trouble =
    settings.kind === "apns" ? await appleOn(module, settings, clock) : await googleOn(settings, clock);
  if (trouble === undefined) return;
  throw new Error(
    `modules.${module}.${settings.kind}: ${trouble}; the old settings stay. Mend the new ones (\`reveille doctor\` says how), or restart the worker to use them unproved`,
  );
}

async function appleOn(
  module: PushModule,
  settings: Extract<ModuleSettings, { kind: "apns" }>,
  clock: Clock,
): Promise<string | undefined> {
  const answer = await withTimeout({ clock, timeout: TIMEOUT }, (signal) =>
    probeApns({ module, settings, clock, signal }),
  );
  if (answer.kind === "unreachable") return `Apple has not judged them: ${answer.because}`;
  const { status, reason } = answer;
  return reason === "BadDeviceToken" ? undefined : `Apple answers ${status} ${reason}`.trimEnd();
}

async function googleOn(
  settings: Extract<ModuleSettings, { kind: "fcm" }>,
  clock: Clock,
): Promise<string | undefined> {
  const answer = await probeFcm({ settings, clock, timeout: TIMEOUT });
  switch (answer.kind) {
    case "accepted":
      return undefined;
    case "refused":
      return `Google answers ${answer.because}`;
    case "unreachable":
      return `Google has not judged them: ${answer.because}`;
  }
}
