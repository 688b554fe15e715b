import { type DeviceKey, type Verdict, type Wakeup } from "@reveille/wakeup";

import { type SharedBucket } from "./domains/local-buckets.ts";

/** A wakeup to be decided about. */
export interface Asked {
  /** Its place in the micro-batch. */
  readonly index: number;
  readonly wakeup: Wakeup;
  readonly device: DeviceKey;
  /** Counts its sending domain; none without a limit. */
  readonly bucket: SharedBucket | undefined;
  /** Redis key of what pays if the device is new; nothing does without one. */
  readonly budget: string | undefined;
}

/** The wakeups of one device, as far as they count for one bucket: one push serves them all. */
export interface Group {
  readonly device: DeviceKey;
  readonly bucket: SharedBucket | undefined;
  readonly budget: string | undefined;
  /** The first one speaks for the others; it is urgent if any of them is. */
  readonly members: readonly [Asked, ...Asked[]];
}

/**
 * The wakeups of a micro-batch in groups, each round with one group per device and at most `most` of them, since the
 * script wants its keys to be unique. There is a second round if a device was published to by domains that are counted
 * apart, or if there are more devices.
 */
export function* roundsOf(asked: readonly Asked[], most: number): Generator<readonly Group[]> {
  let waiting = asked;
  while (waiting.length > 0) {
    const groups = new Map<DeviceKey, Group>();
    const left: Asked[] = [];
    for (const one of waiting) {
      const group = groups.get(one.device);
      if (group !== undefined && group.bucket?.key === one.bucket?.key) {
        groups.set(one.device, joined(group, one));
      } else if (group === undefined && groups.size < most) {
        const { device, bucket, budget } = one;
        groups.set(device, { device, bucket, budget, members: [one] });
      } else {
        left.push(one);
      }
    }
    yield [...groups.values()];
    waiting = left;
  }
}

function joined(group: Group, one: Asked): Group {
  const [speaker] = group.members;
  if (one.wakeup.urgent && !speaker.wakeup.urgent) return { ...group, members: [one, ...group.members] };
  return { ...group, members: [...group.members, one] };
}

/** What each wakeup of a group is told, of which the first `passed` are within the limit of their domain. */
export function* verdictsOf(
  { members }: Group,
  verdict: Verdict,
  passed: number,
): Generator<readonly [index: number, Verdict]> {
  for (const [place, { index }] of members.entries()) {
    if (place >= passed) yield [index, OVER_LIMIT];
    else yield [index, place === 0 ? verdict : verdictOfOthers(verdict)];
  }
}

const OVER_LIMIT: Verdict = { kind: "over-limit" };

function verdictOfOthers(verdict: Verdict): Verdict {
  switch (verdict.kind) {
    case "now":
    case "later":
    case "merged":
      return { kind: "merged" };
    case "dead":
    case "over-limit":
    case "over-budget":
      return verdict;
  }
}
