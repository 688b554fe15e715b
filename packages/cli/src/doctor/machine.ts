import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";

import { reveilleUnits, type Unit } from "../role/systemd-units.ts";

/** What the doctor asks the kernel of this machine. */
export interface Machine {
  /** Those that its interfaces have now. */
  readonly addresses: () => readonly string[];
  /** Our units, as systemd knows them; none without systemd. */
  readonly units: () => Promise<readonly Unit[]>;
  /** The value of a setting by its name for sysctl(8); `undefined` if it cannot be read. */
  readonly setting: (name: string) => Promise<string | undefined>;
}

export const thisMachine: Machine = {
  units: reveilleUnits,
  addresses: () =>
    Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address)),
  setting: async (name) =>
    readFile(join("/proc/sys", ...name.split(".")), "utf8").then(
      (text) => text.trim(),
      () => undefined,
    ),
};
