import { setTimeout as sleep } from "node:timers/promises";

import { until } from "@reveille/testkit";

import { lostOf } from "../durability/findings.ts";
import { type FrontKind } from "./host.ts";
import { Load } from "./load.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import { type Person, registerPeople, writeTo } from "./people.ts";
import { Pushes } from "./pushes.ts";
import { type Region, startRegion, WINDOW_MS } from "./region.ts";

/** One thing that breaks, under load. */
export interface Rung {
  readonly name: string;
  readonly front: FrontKind;
  readonly breaks: (region: Region) => Promise<void>;
  /** How long the load goes on after that. */
  readonly forMs: number;
  /** Mends it, with the load going on; nothing is mended unless told. */
  readonly mends?: (region: Region) => Promise<void>;
  /** How long the load goes on after that. */
  readonly thenMs?: number;
}

export interface Climbed extends Outcome {
  readonly rung: string;
  /** People whose server still publishes for them at the end. */
  readonly registered: readonly Person[];
  readonly people: readonly Person[];
}

/** The load before anything breaks, in ms. */
const STEADY_MS = 2_000;

/** Starts a region, breaks it under load and tells how it came through. */
export async function climb({ name, front, breaks, forMs, mends, thenMs = 0 }: Rung): Promise<Climbed> {
  await using region = await startRegion(`${name} ${front}`, front);
  const people = await registerPeople(region);
  const pushes = new Pushes(region.site);
  const load = new Load(region, people);
  await sleep(STEADY_MS);
  const brokeAt = Date.now();
  await breaks(region);
  await sleep(forMs);
  await mends?.(region);
  await sleep(thenMs);
  await load.stop();
  await settled(load, pushes);
  const registered = await stillRegistered(region, people, pushes);
  return {
    rung: front === "prosody" ? name : `${name} (${front})`,
    ...outcomeOf({ journals: load.journals(), pushes: await pushes.all(), brokeAt, windowMs: WINDOW_MS }),
    registered,
    people,
  };
}

/** How long what was accepted may take to reach APNs, once the load is over. */
const SETTLE_MS = 25_000;

/** Waits until nothing that was accepted is missing, or no longer. */
async function settled(load: Load, pushes: Pushes): Promise<void> {
  const isComplete = async (): Promise<true | undefined> => {
    const journal = load.journal();
    const answered = journal.every(({ reply }) => reply !== undefined);
    const stale = Date.now() - (journal.at(-1)?.sentAt ?? 0) > 6_000;
    return lostOf(journal, await pushes.all()).length === 0 && (answered || stale) ? true : undefined;
  };
  await until(isComplete, { what: "every push", withinMs: SETTLE_MS, everyMs: 200 }).catch(
    (error: unknown) => void process.stdout.write(`${String(error)}\n`),
  );
}

/** Writes to everybody: a server that has forgotten a device does not publish for it. */
async function stillRegistered(
  region: Region,
  people: readonly Person[],
  pushes: Pushes,
): Promise<readonly Person[]> {
  const wroteAt = Date.now();
  let woken: readonly Person[] = [];
  await until(
    async () => {
      const unwoken = people.filter((person) => !woken.includes(person));
      for (const person of unwoken) writeTo(region, person);
      const all = (await pushes.all()).filter(({ receivedAt }) => receivedAt > wroteAt + WINDOW_MS);
      woken = people.filter(({ token }) => all.some((push) => push.token === token));
      return woken.length === people.length ? true : undefined;
    },
    // A Prosody that looks for a host that is gone tries each of its addresses for 20 s.
    { what: "a push to everybody", withinMs: 45_000, everyMs: 1_000 },
  ).catch((error: unknown) => void process.stdout.write(`${String(error)}\n`));
  return woken;
}

const COLUMNS = [
  "rung",
  "no push from Prosody",
  "from ejabberd",
  "last trouble after",
  "lost",
  "registrations",
  "answers",
] as const;

/** The rungs as a table for people. */
export function tableOf(climbed: readonly Climbed[]): string {
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
  const rows = climbed.map(({ rung, still, whole, lost, registered, people, answers }) => [
    rung,
    seconds(still.prosody),
    seconds(still.ejabberd),
    seconds(whole),
    `${lost}`,
    `${registered.length} of ${people.length}`,
    Object.entries(answers)
      .map(([answer, count]) => `${answer} ${count}`)
      .join(", "),
  ]);
  const all = [[...COLUMNS], ...rows];
  const widths = COLUMNS.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
