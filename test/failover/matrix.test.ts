import { aToken, until, whyNoDebianRoot } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { Publisher, type Sent } from "../durability/publishing.ts";
import { debian13, type Pair, type PairRegion, type Server, SERVERS, startPair } from "./matrix-region.ts";
import { whyNoNamespaces } from "./namespaces.ts";
import { Pushes } from "./pushes.ts";
import { HOSTNAME } from "./region.ts";

/** How long each pair is under load. `MATRIX_SECONDS=60` is the long form; the default takes about ten minutes in all. */
const SECONDS = Number(process.env["MATRIX_SECONDS"] ?? "10");
const RATE = 50;

const unable = (await whyNoNamespaces()) ?? (await whyNoDebianRoot());
if (unable !== undefined) process.stdout.write(`matrix: skipped, ${unable}\n`);
const root = unable === undefined ? await debian13() : "";

const NAMES = Object.keys(SERVERS).filter((name): name is Server => name in SERVERS);
/** ejabberd has XEP-0288 since 24.10. */
const canBidi = (sender: Server): boolean => sender !== "ejabberd 23.01";
const PAIRS: readonly Omit<Pair, "root">[] = NAMES.flatMap((front) =>
  NAMES.flatMap((sender) => [
    { front, sender, bidi: false },
    ...(canBidi(sender) ? [{ front, sender, bidi: true }] : []),
  ]),
);

/** Publishes for a device of its own each, at a steady rate, and waits until each is answered and pushed. */
async function publishTo({ site, load }: PairRegion) {
  const pushes = new Pushes(site);
  const target = (index: number) =>
    index < RATE * SECONDS ? { token: aToken(`device ${index}`), to: HOSTNAME } : undefined;
  const publisher = new Publisher({ server: load, rate: RATE, target });
  await publisher.run();
  const isDone = async (): Promise<true | undefined> => {
    const journal = publisher.journal();
    const isAnswered = journal.every(({ reply }) => reply !== undefined);
    return isAnswered && (await pushes.all()).length >= journal.length ? true : undefined;
  };
  // What is missing after that is what the test tells.
  await until(isDone, { what: "every reply and push", withinMs: 20_000, everyMs: 200 }).catch(
    () => undefined,
  );
  return { journal: publisher.journal(), pushes: await pushes.all() };
}

const answerOf = ({ reply }: Sent): string =>
  reply === undefined ? "none" : [reply.type, reply.errorType, reply.condition].filter(Boolean).join(" ");

const countOf = (names: readonly string[]): Readonly<Record<string, number>> =>
  Object.fromEntries(Array.from(Map.groupBy(names, String), ([name, { length }]) => [name, length]));

/** What the ingress has said of its connections to the front, but that it has them. */
const flapsOf = ({ host }: PairRegion): readonly string[] =>
  host.ingress.program.lines
    .map(({ text }) => text)
    .filter((text) => text.includes(`"component":`) && !/"state":"(?:connecting|active)"/.test(text));

describe.skipIf(unable !== undefined)(`a rendered front, ${RATE} publishes a second for ${SECONDS} s`, () => {
  it.each(PAIRS)(
    "$front passes on every publish of $sender, with XEP-0288: $bidi; each is answered `result` and pushed once",
    { timeout: 240_000 + 2_000 * SECONDS },
    async (pair) => {
      await using region = await startPair({ ...pair, root });
      const { journal, pushes } = await publishTo(region);
      const all = RATE * SECONDS;
      expect(countOf(journal.map(answerOf))).toEqual({ result: all });
      expect(pushes).toHaveLength(all);
      expect(new Set(pushes.map(({ token }) => token)).size).toBe(all);
      expect(flapsOf(region)).toEqual([]);
    },
  );
});
