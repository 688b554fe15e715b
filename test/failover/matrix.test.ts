import { aToken, until, whyNoDebianRoot } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { Publisher, type Sent } from "../durability/publishing.ts";
import { debianRoots, type Pair, type PairRegion, type Server, SERVERS, startPair } from "./matrix-region.ts";
import { type Incoming, whyNoNamespaces } from "./namespaces.ts";
import { Pushes } from "./pushes.ts";
import { HOSTNAME } from "./region.ts";

/** How long each pair is under load. `MATRIX_SECONDS=60` is the long form; four pairs run at once (test/vitest.config.ts). */
const SECONDS = Number(process.env["MATRIX_SECONDS"] ?? "10");
const RATE = 50;

const unable = (await whyNoNamespaces()) ?? (await whyNoDebianRoot());
if (unable !== undefined) process.stdout.write(`matrix: skipped, ${unable}\n`);
const roots = unable === undefined ? await debianRoots() : { 12: undefined, 13: undefined };

const NAMES = Object.keys(SERVERS).filter((name): name is Server => name in SERVERS);
/** ejabberd has `mod_s2s_bidi` since 24.10. */
const hasBidi = (sender: Server): boolean => sender !== "ejabberd 23.01";
const isProsody = (server: Server): boolean => SERVERS[server].kind === "prosody";

interface Cell extends Omit<Pair, "roots"> {
  /** Whether the sender's server has a module for XEP-0288 loaded, and whether replies then come back on its own connection. */
  readonly xep0288: "not loaded" | "loaded, not used" | "used";
}

/**
 * The rendered ejabberd offers no XEP-0288, since 23.01 has none. ejabberd 24.12 as a sender never asks for it: it looks for
 * `urn:xmpp:bidi` among the features, where servers offer `urn:xmpp:features:bidi` (docs/upstream-reports.md).
 */
const PAIRS: readonly Cell[] = NAMES.flatMap((front) =>
  NAMES.flatMap((sender): readonly Cell[] => {
    const isUsed = isProsody(front) && isProsody(sender);
    const loaded = { front, sender, bidi: true, xep0288: isUsed ? "used" : "loaded, not used" } as const;
    return [{ front, sender, bidi: false, xep0288: "not loaded" }, ...(hasBidi(sender) ? [loaded] : [])];
  }),
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

/** By what came to the sender's server on connections that the front opened; a reply takes more than a hundred bytes. */
function wayOfReplies({ connections, bytes }: Incoming): string {
  if (connections === 0) return "the connection of the sender";
  return bytes > 100 * RATE * SECONDS ? "a connection of the front" : `neither, with ${bytes} bytes`;
}

describe.skipIf(unable !== undefined)(
  `a rendered front, ${RATE} publishes a second for ${SECONDS} s`,
  { concurrent: true },
  () => {
    it.each(PAIRS)(
      "$front passes on every publish of $sender (XEP-0288: $xep0288); each is answered `result` and pushed once",
      { timeout: 240_000 + 2_000 * SECONDS },
      async ({ xep0288, ...pair }) => {
        await using region = await startPair({ ...pair, roots });
        const { journal, pushes } = await publishTo(region);
        const all = RATE * SECONDS;
        expect(countOf(journal.map(answerOf))).toEqual({ result: all });
        expect(pushes).toHaveLength(all);
        expect(new Set(pushes.map(({ token }) => token)).size).toBe(all);
        expect(flapsOf(region)).toEqual([]);
        expect(wayOfReplies(await region.calledBack())).toBe(
          xep0288 === "used" ? "the connection of the sender" : "a connection of the front",
        );
      },
    );
  },
);
