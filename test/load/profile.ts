import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

/** Lines of a profile worth reading. */
const MOST_LINES = 25;

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

/** Where the time of each profiled process went, by function, without the functions it called. */
export async function profilesOf(folder: string): Promise<string> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".cpuprofile"));
  const texts = files.map(async (file) => {
    const profile: unknown = JSON.parse(await readFile(join(folder, file), "utf8"));
    return { file, text: textOf(framesOf(profile)) };
  });
  return (await Promise.all(texts)).map(({ file, text }) => `${file}\n${text}`).join("\n");
}

/** Of a profile in the format of V8's inspector, costliest first; idle time left out. */
export function framesOf(profile: unknown): Frame[] {
  if (!isProfile(profile)) throw new Error("no CPU profile");
  const sites = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const micros = new Map<string, Frame>();
  for (const [position, id] of profile.samples.entries()) {
    const site = sites.get(id);
    if (site === undefined || site.functionName === "(idle)") continue;
    const { functionName: name, url, lineNumber } = site;
    const where =
      url === "" ? "" : `${relative(process.cwd(), url.replace("file://", ""))}:${lineNumber + 1}`;
    const key = `${name} ${where}`;
    const spent = (micros.get(key)?.micros ?? 0) + (profile.timeDeltas[position] ?? 0);
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
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const isProfile = (value: unknown): value is Profile =>
  typeof value === "object" &&
  value !== null &&
  "nodes" in value &&
  "samples" in value &&
  "timeDeltas" in value;
