import { type DeviceKey, deviceKeyOf, type RegionSecret, type Verdict, type Wakeup } from "@reveille/wakeup";

/** Wakeups of one micro-batch, one device each: the scripts need unique keys. */
export interface Folded {
  /** Which wakeup speaks for each device, by its index: its first urgent one, else its first. */
  readonly speakers: ReadonlyMap<DeviceKey, number>;
  /** The device of each wakeup, in the order given. */
  readonly keys: readonly DeviceKey[];
}

export function foldByDevice(wakeups: readonly Wakeup[], secret: RegionSecret): Folded {
  const speakers = new Map<DeviceKey, number>();
  const keys = wakeups.map(({ token, module, urgent }, index) => {
    const key = deviceKeyOf(secret, token, module);
    const speaker = speakers.get(key);
    if (speaker === undefined || (urgent && wakeups[speaker]?.urgent === false)) speakers.set(key, index);
    return key;
  });
  return { speakers, keys };
}

/** What a wakeup is told whose device was asked about by another one of the same micro-batch. */
export function verdictOfFolded(verdict: Verdict): Verdict {
  switch (verdict.kind) {
    case "now":
    case "later":
    case "merged":
      return { kind: "merged" };
    case "dead":
    case "over-limit":
      return verdict;
  }
}
