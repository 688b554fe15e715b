import { execFile } from "node:child_process";

/** One of our units on this machine. */
export interface Unit {
  readonly name: string;
  /** `active`, `activating`, `failed`, `inactive`, … */
  readonly state: string;
  /** Of its process; 0 without one. */
  readonly pid: number;
  /** Starts with the machine. */
  readonly isEnabled: boolean;
}

/** Our units, as systemd knows them; none on a machine without systemd. */
export async function reveilleUnits(): Promise<readonly Unit[]> {
  const said = await systemctl(
    "show",
    "--property=Id,ActiveState,MainPID,UnitFileState",
    ...(await namesOfUnits()),
  );
  return said
    .split(/\n\n+/)
    .map((block) => new Map(block.split("\n").map((line) => splitAt(line, "="))))
    .flatMap((unit) => {
      const name = unit.get("Id") ?? "";
      if (!/^reveille-.*\.service$/.test(name)) return [];
      const isEnabled = unit.get("UnitFileState") === "enabled";
      return [
        { name, state: unit.get("ActiveState") ?? "", pid: Number(unit.get("MainPID") ?? 0), isEnabled },
      ];
    });
}

/** Those that are loaded, and those that `reveille.target` would start. */
async function namesOfUnits(): Promise<readonly string[]> {
  const loaded = await systemctl("list-units", "--all", "--plain", "--no-legend", "reveille-*.service");
  const wanted = await systemctl("show", "--property=Wants", "--value", "reveille.target");
  const names = [
    ...loaded.split("\n").map((line) => line.trim().split(" ")[0] ?? ""),
    ...wanted.split(/\s+/),
  ];
  return [...new Set(names.filter((name) => name.startsWith("reveille-")))].toSorted((one, other) =>
    one.localeCompare(other),
  );
}

/** What systemctl prints; nothing where there is no systemd. */
const systemctl = (...args: readonly string[]): Promise<string> =>
  new Promise((resolve) => {
    execFile("systemctl", [...args], { timeout: 5_000 }, (error, said) =>
      resolve(error === null ? said : ""),
    );
  });

const splitAt = (line: string, mark: string): readonly [string, string] => {
  const at = line.indexOf(mark);
  return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + mark.length)];
};
