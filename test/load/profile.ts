import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

/** Lines of a profile worth reading. */
const MOST_LINES = 25;

/** As Node names it: date, time, process, thread, number. */
const PROFILE_NAME = /^CPU\.\d+\.\d+\.(\d+)\./;

interface Frame {
  readonly name: string;
  readonly where: string;
  readonly micros: number;
}

/** Makes each Node process write a profile into the folder when it ends. */
export const profileOptions = (folder: string): string[] => [
  "--cpu-prof",
  `--cpu-prof-dir=${folder}`,
  "--cpu-prof-interval=500",
];

/** A time of the machine's monotonic clock, in microseconds, as V8 puts it into profiles. */
export const profileTime = (): number => Number(process.hrtime.bigint() / 1000n);

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Where the CPU of each process went during the span, by function, without the functions it called. */
export async function profilesOf(
  folder: string,
  names: ReadonlyMap<number, string>,
  span: Span,
): Promise<string> {
  const texts: string[] = [];
  for (const file of await readdir(folder)) {
    const [, pid] = PROFILE_NAME.exec(file) ?? [];
    const profile: unknown = JSON.parse(await readFile(join(folder, file), "utf8"));
    texts.push(`CPU of ${names.get(Number(pid)) ?? file}\n${textOf(framesOf(profile, span))}`);
  }
  return texts.join("\n");
}

/** Of a profile in the format of V8's inspector, costliest first; idle time left out. */
export function framesOf(profile: unknown, { from, to }: Span): Frame[] {
  if (!isProfile(profile)) throw new Error("no CPU profile");
  let time = profile.startTime;
  const sites = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const micros = new Map<string, Frame>();
  for (const [position, id] of profile.samples.entries()) {
    const delta = profile.timeDeltas[position] ?? 0;
    time += delta;
    const site = sites.get(id);
    if (site === undefined || site.functionName === "(idle)" || time < from || time > to) continue;
    const { functionName: name, url, lineNumber } = site;
    const where =
      url === "" ? "" : `${relative(process.cwd(), url.replace("file://", ""))}:${lineNumber + 1}`;
    const key = `${name} ${where}`;
    const spent = (micros.get(key)?.micros ?? 0) + delta;
    micros.set(key, { name, where, micros: spent });
  }
  return [...micros.values()].toSorted((one, other) => other.micros - one.micros);
}

function textOf(frames: readonly Frame[]): string {
  const all = frames.reduce((sum, { micros }) => sum + micros, 0);
  return frames
    .slice(0, MOST_LINES)
    .map(
      ({ name, where, micros }) =>
        `${((100 * micros) / all).toFixed(1).padStart(7)} %  ${name || "(anonymous)"}  ${where}\n`,
    )
    .join("");
}

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const isProfile = (value: unknown): value is Profile =>
  typeof value === "object" &&
  value !== null &&
  "nodes" in value &&
  "samples" in value &&
  "timeDeltas" in value;
