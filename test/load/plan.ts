import { type Bench } from "./bench.ts";
import { type Load } from "./load-loop.ts";
import { type Trial } from "./measure.ts";
import { type Options } from "./options.ts";
import { type Result } from "./result.ts";

/** `half`: half of what the stage did at saturation just before, where latencies are worth looking at. */
export type PlannedLoad = Load | { readonly mode: "half" };

export interface Planned {
  readonly load: PlannedLoad;
  readonly setUp: (bench: Bench) => Promise<Trial>;
}

/** Replaces rates and numbers in flight by those the options ask for; loads that became the same stay once. */
export function withOptions(planned: readonly Planned[], { rate, inFlight }: Options): Planned[] {
  const setUps = [...new Set(planned.map(({ setUp }) => setUp))];
  const seen = new Set<string>();
  return planned
    .map(({ load, setUp }) => ({ load: loadWith(load, rate, inFlight), setUp }))
    .filter(({ load, setUp }) => {
      const key = `${setUps.indexOf(setUp)} ${JSON.stringify(load)}`;
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
}

function loadWith(load: PlannedLoad, rate: number | undefined, inFlight: number | undefined): PlannedLoad {
  switch (load.mode) {
    case "saturation":
      return inFlight === undefined ? load : { mode: "saturation", inFlight };
    case "idle":
      return load;
    case "rate":
    case "half":
      return rate === undefined ? load : { mode: "rate", rate };
  }
}

/** `earlier`: the results of the same stage so far. */
export function loadOf(planned: PlannedLoad, earlier: readonly Result[]): Load {
  if (planned.mode !== "half") return planned;
  const saturated = earlier.findLast(({ conditions }) => conditions.mode === "saturation");
  if (saturated === undefined) throw new Error("half of a load needs one at saturation before it");
  return { mode: "rate", rate: Math.max(1, Math.floor(saturated.wakeupsPerSecond / 200) * 100) };
}
