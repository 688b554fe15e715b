import { hash } from "node:crypto";

import { type DeviceToken } from "./device-token.ts";
import { type PushModule } from "./push-module.ts";
import { type EpochMillis } from "./time.ts";

/** What travels from ingress to APNs. It has no field for content, sender or domain. */
export interface Wakeup {
  readonly token: DeviceToken;
  readonly module: PushModule;
  /** Somebody is waiting: the publish had a body value, high priority, or announced a call. */
  readonly urgent: boolean;
  /** When the publish reached us, by the clock of the ingress. */
  readonly receivedAt: EpochMillis;
  /**
   * As far as the region remembers, the push service has never accepted a push for this device. The worker reports the
   * first outcome of such a device to admission, and does not repeat what is refused.
   */
  readonly unproven?: true;
}

/**
 * The `apns-id` of a wakeup: the same for every attempt, so that Apple's and our records meet.
 * A UUID of version 8 (RFC 9562 §5.8), derived from the wakeup and not from chance.
 */
export function apnsIdOf(wakeup: Wakeup): string {
  const hex = hash("sha256", `${wakeup.token}|${wakeup.module}|${wakeup.receivedAt}`, "hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
