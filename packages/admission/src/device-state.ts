import { type EpochMillis, epochMillis } from "@reveille/wakeup";

/**
 * Why a device gets no pushes. `refused`: the push service said so for good (410). `suspected`: it said so twice
 * (BadDeviceToken). `blocked`: an operator said so.
 */
export type DeadReason = "refused" | "suspected" | "blocked";

/** What admission remembers of a device; one integer in Redis, and no key at all for `unknown`. */
export type DeviceState =
  | { readonly kind: "unknown" }
  /** A departure was granted for this time. It lies ahead only for a throttled device. */
  | { readonly kind: "granted"; readonly at: EpochMillis }
  /** A trailing push stands in the ZSET with this due time. */
  | { readonly kind: "scheduled"; readonly at: EpochMillis; readonly urgent: boolean }
  | { readonly kind: "dead"; readonly since: EpochMillis; readonly reason: DeadReason };

const DEAD_REASONS = ["refused", "suspected", "blocked"] as const satisfies readonly DeadReason[];

/** Number of a reason inside a dead mark, 1 to 3. */
export const codeOf = (reason: DeadReason): number => DEAD_REASONS.indexOf(reason) + 1;

/**
 * The integer of a state: time × 4, plus 2 if a trailing push is scheduled, plus 1 if that push is urgent.
 * A dead mark is negative: −(time × 4 + reason). Redis keeps an integer in 16 bytes less than a text.
 */
export function encodeState(state: Exclude<DeviceState, { kind: "unknown" }>): string {
  switch (state.kind) {
    case "granted":
      return String(state.at * 4);
    case "scheduled":
      return String(state.at * 4 + (state.urgent ? 3 : 2));
    case "dead":
      return String(-(state.since * 4 + codeOf(state.reason)));
  }
}

/** Any text gives a state; one that is no state of ours counts as `unknown`, which costs one push at most. */
export function decodeState(text: string | null): DeviceState {
  const value = Number(text ?? Number.NaN);
  if (!Number.isSafeInteger(value)) return { kind: "unknown" };
  const time = epochMillis(Math.floor(Math.abs(value) / 4));
  const low = Math.abs(value) % 4;
  if (value < 0) return { kind: "dead", since: time, reason: DEAD_REASONS[low - 1] ?? "refused" };
  if (low >= 2) return { kind: "scheduled", at: time, urgent: low === 3 };
  return { kind: "granted", at: time };
}
