import { type EpochMillis, epochMillis } from "@reveille/wakeup";

/**
 * Why a device gets no pushes. `refused`: the push service said so for good (410). `suspected`: it said so twice
 * (BadDeviceToken). `blocked`: an operator said so.
 */
export type DeadReason = "refused" | "suspected" | "blocked";

/**
 * What admission remembers of a device; one integer in Redis, and no key at all for `unknown`. `proven`: the push service
 * has accepted a push for it.
 */
export type DeviceState =
  | { readonly kind: "unknown" }
  /** A departure was granted for this time. It lies ahead only for a throttled device. */
  | { readonly kind: "granted"; readonly at: EpochMillis; readonly proven?: true }
  /** A trailing push stands in the ZSET with this due time. */
  | { readonly kind: "scheduled"; readonly at: EpochMillis; readonly urgent: boolean; readonly proven?: true }
  | { readonly kind: "dead"; readonly since: EpochMillis; readonly reason: DeadReason };

const DEAD_REASONS = ["refused", "suspected", "blocked"] as const satisfies readonly DeadReason[];

/** Number of a reason inside a dead mark, 1 to 3. */
export const codeOf = (reason: DeadReason): number => DEAD_REASONS.indexOf(reason) + 1;

/**
 * The integer of a state: time × 8, plus 4 if it is proven, plus 2 if a trailing push is scheduled, plus 1 if that push is
 * urgent. A dead mark is negative: −(time × 4 + reason). Redis keeps an integer in 16 bytes less than a text.
 */
export function encodeState(state: Exclude<DeviceState, { kind: "unknown" }>): string {
  if (state.kind === "dead") return String(-(state.since * 4 + codeOf(state.reason)));
  const proven = state.proven === true ? 4 : 0;
  const scheduled = state.kind === "scheduled" ? (state.urgent ? 3 : 2) : 0;
  return String(state.at * 8 + proven + scheduled);
}

/** Any text gives a state; one that is no state of ours counts as `unknown`, which costs one push at most. */
export function decodeState(text: string | null): DeviceState {
  const value = Number(text ?? Number.NaN);
  if (!Number.isSafeInteger(value)) return { kind: "unknown" };
  if (value < 0) {
    const reason = DEAD_REASONS[(-value % 4) - 1] ?? "refused";
    return { kind: "dead", since: epochMillis(Math.floor(-value / 4)), reason };
  }
  const at = epochMillis(Math.floor(value / 8));
  const proven = value % 8 >= 4 ? ({ proven: true } as const) : {};
  if (value % 4 < 2) return { kind: "granted", at, ...proven };
  return { kind: "scheduled", at, urgent: value % 2 === 1, ...proven };
}
