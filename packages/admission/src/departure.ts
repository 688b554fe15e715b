import {
  between,
  type EpochMillis,
  later,
  type Millis,
  millis,
  minutes,
  type Verdict,
} from "@reveille/wakeup";

import { type DeviceState } from "./device-state.ts";

/** The answer for a device, what to remember of it, and the due time of the trailing push to be scheduled. */
export interface Departure {
  readonly verdict: Verdict;
  readonly state: DeviceState;
  readonly schedule?: EpochMillis;
}

/** Longest throttle of a device. A departure that lies further ahead than this (or a window) is not believed. */
export const LONGEST_THROTTLE: Millis = minutes(10);

/**
 * The rule of admission: pushes to one device leave at least a window apart, and each wakeup is followed by a push
 * within one window. `decide.lua` is the same rule for many devices at once; a property test holds them together.
 *
 * A wakeup may ride on a trailing push (`merged`) only while that push is still to come. One that is due may have
 * left this very moment, so from its due time on a new one is scheduled.
 */
export function nextDeparture(
  state: DeviceState,
  urgent: boolean,
  now: EpochMillis,
  window: Millis,
): Departure {
  if (state.kind === "dead") return { verdict: { kind: "dead" }, state };
  if (state.kind === "unknown" || now >= later(state.at, window)) {
    return { verdict: { kind: "now" }, state: { kind: "granted", at: now, ...provenOf(state) } };
  }

  const plausible = state.at <= later(now, millis(Math.max(window, LONGEST_THROTTLE)));
  if (state.kind === "scheduled" && state.at > now && plausible) {
    // The waiting push is not urgent but this wakeup is: a second, urgent entry for the same moment joins it.
    if (urgent && !state.urgent) {
      return { verdict: { kind: "merged" }, state: { ...state, urgent }, schedule: state.at };
    }
    return { verdict: { kind: "merged" }, state };
  }

  const due = later(plausible ? state.at : now, window);
  return {
    verdict: { kind: "later", after: between(now, due) },
    state: { kind: "scheduled", at: due, urgent, ...provenOf(state) },
    schedule: due,
  };
}

const provenOf = (state: DeviceState): { readonly proven?: true } =>
  (state.kind === "granted" || state.kind === "scheduled") && state.proven === true ? { proven: true } : {};

/**
 * The same where devices that never had a push have a budget: each departure of such a device that is granted or
 * scheduled takes one token, by `draw`; without one nothing changes.
 */
export function nextBudgetedDeparture(
  state: DeviceState,
  urgent: boolean,
  now: EpochMillis,
  { window, draw }: { readonly window: Millis; readonly draw: () => boolean },
): Departure {
  const departure = nextDeparture(state, urgent, now, window);
  const { kind } = departure.verdict;
  const isFree = provenOf(state).proven === true || (kind !== "now" && kind !== "later");
  if (isFree) return departure;
  if (!draw()) return { verdict: { kind: "over-budget" }, state };
  return kind === "now" ? { ...departure, verdict: { kind, unproven: true } } : departure;
}
