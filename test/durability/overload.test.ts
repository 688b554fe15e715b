import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { aToken, startRedis, until } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { openLongWay } from "../load/doubles/long-way.ts";
import { openBacklog } from "./backlog.ts";
import { answersOf, lostOf } from "./findings.ts";
import { startPushPath } from "./push-path.ts";
import { Publisher } from "./publishing.ts";

/**
 * A batch of 128 takes two calls of a Redis that is this far away, so the ingress can do some 430 publishes per second:
 * less than the front of a slow machine passes on.
 */
const AWAY_MS = 150;
const THRICE_THE_CAPACITY = 1_300;
/** Places of one domain in the line; nothing has to grow once they are taken. */
const PLACES = 15_000;
/** What the front may have in hand beside them: on a slow machine it takes fewer, and they wait before it. */
const MOST_IN_FRONT = 1_500;
/** So many are shed before the ingress is weighed for the first time, and between that and the second time. */
const SHED_BEFORE = 2_000;
const SHED_BETWEEN = 25_000;
/** Some 240 bytes for each that is shed; one that keeps them holds 455. What is under way makes a difference of up to 4 MB between two looks. */
const MOST_GROWTH = 6_000_000;
const LOOKS = 4;

const WEIGHED = ["--expose-gc", "--import", join(import.meta.dirname, "weighed.ts")];

/** What a process that was started with {@link WEIGHED} holds after a collection, in bytes. */
async function weightOf(pid: number, logFile: string): Promise<number> {
  const told = async (): Promise<readonly number[]> =>
    [...(await readFile(logFile, "utf8")).matchAll(/^holds (\d+) bytes$/gm)].map(([, bytes]) =>
      Number(bytes),
    );
  const before = (await told()).length;
  process.kill(pid, "SIGUSR2");
  return until(async () => (await told())[before], { what: "a weight", withinMs: 30_000, everyMs: 100 });
}

describe("an ingress under three times the load that it can bear", () => {
  it("answers each publish, loses none that it accepted, and needs no more memory the longer it lasts", async () => {
    await using redis = await startRedis(["--appendonly", "yes", "--appendfsync", "always"]);
    await using way = await openLongWay({ path: redis.path }, AWAY_MS);
    const url = `redis+unix://${redis.path}`;
    await using path = await startPushPath({
      name: "overload",
      redis: { url },
      ingressRedis: { url: `redis://127.0.0.1:${way.port}` },
      ingressFlags: WEIGHED,
      windowMs: 1_000,
      ingresses: 1,
      workers: 1,
    });
    const { ingresses, workers, domains, server, apns, logs } = path;
    const [to = ""] = domains;
    const logFile = join(logs, "ingress-1.log");
    let isOver = false;
    const publisher = new Publisher({
      server,
      rate: THRICE_THE_CAPACITY,
      mostUnanswered: PLACES + MOST_IN_FRONT,
      target: (index) => (isOver ? undefined : { token: aToken(index), to }),
    });
    /** What the ingress holds at least when it has shed so many. */
    const weightWithShed = async (count: number): Promise<number> => {
      const shed = (): number => server.replies.filter(({ errorType }) => errorType === "wait").length;
      await until(() => (shed() >= count ? true : undefined), {
        what: `shed publish ${count}`,
        withinMs: 300_000,
        everyMs: 200,
      });
      const weights: number[] = [];
      for (let look = 0; look < LOOKS; look += 1) {
        weights.push(await weightOf(ingresses[0]?.pid ?? 0, logFile));
        await sleep(500);
      }
      return Math.min(...weights);
    };
    const publishing = publisher.run();
    const before = await weightWithShed(SHED_BEFORE);
    const growth = (await weightWithShed(SHED_BEFORE + SHED_BETWEEN)) - before;
    isOver = true;
    await publishing;
    const unanswered = (): number => publisher.journal().filter(({ reply }) => reply === undefined).length;
    await until(() => (unanswered() === 0 ? true : undefined), {
      what: "an answer to each publish",
      withinMs: 120_000,
      everyMs: 500,
    });
    await using backlog = await openBacklog({ url });
    await backlog.drained(120_000);

    const journal = publisher.journal();
    const answers = answersOf(journal);
    process.stdout.write(
      `overload: ${JSON.stringify({ answers, pushes: apns.ledger.pushes.length, before, growth })}\n`,
    );
    expect(server.replies).toHaveLength(journal.length);
    expect(answers["wait"]).toBeGreaterThanOrEqual(SHED_BEFORE + SHED_BETWEEN);
    expect(answers["result"]).toBeGreaterThan(PLACES);
    expect(lostOf(journal, apns.ledger.pushes)).toEqual([]);
    expect(growth).toBeLessThan(MOST_GROWTH);
    // Its pings to itself came back in time, or it would have given its place up.
    const log = await readFile(logFile, "utf8");
    const states = [...log.matchAll(/"event":"component-state-changed".*?"state":"(\w+)"/g)].map(
      ([, state]) => state,
    );
    expect(states).toEqual(["connecting", "active"]);
    expect([...ingresses, ...workers].flatMap(({ mishaps }) => mishaps)).toEqual([]);
  }, 480_000);
});
