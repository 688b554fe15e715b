import { openRegionSecret, redisAdmission } from "@reveille/admission";
import { FLUSH_APART, FlushPace } from "@reveille/ingress";
import { openProducerRedis, openWakeupQueue } from "@reveille/queue";
import { createMetrics, systemClock } from "@reveille/runtime";
import { hours, seconds, type Verdict, type Wakeup } from "@reveille/wakeup";

import { ACCEPTED } from "../load-loop.ts";
import { loadClock, ServedLoop, serveDriver, settingsOf } from "../serve-driver.ts";
import { tokenOf } from "../tokens.ts";
import { MODULE, REGION } from "./region.ts";

/** What ingress does between publish and reply, without the XMPP around it. */
const url = settingsOf((value: unknown) => typeof value === "string");

/** As many wakeups as ingress decides about at once. */
const MOST_PER_FLUSH = 128;

const clock = systemClock;
const { observe } = createMetrics({ role: "ingress", version: "bench", modules: [MODULE], clock });
const redis = await openProducerRedis({ url }, { connection: "producer", clock, observe });
const secret = await openRegionSecret(redis, REGION);
const windowOf = () => seconds(20);
const admission = redisAdmission({
  redis,
  region: REGION,
  secret,
  windowOf,
  forgetDeadAfter: () => hours(1),
  clock,
  observe,
});
const queue = await openWakeupQueue({ redis, region: REGION, node: "bench", clock, observe });

interface Arrived {
  readonly index: number;
  readonly wakeup: Wakeup;
}

const waiting: Arrived[] = [];
const pace = new FlushPace(clock, FLUSH_APART);
let flushing = false;

const served = new ServedLoop((first, count) => {
  const receivedAt = clock.now();
  for (let index = first; index < first + count; index += 1) {
    waiting.push({ index, wakeup: { token: tokenOf(index), module: MODULE, urgent: true, receivedAt } });
  }
  if (waiting.length >= MOST_PER_FLUSH) pace.hurry();
  if (flushing) return;
  flushing = true;
  setImmediate(() => void flushAll());
});

/** What arrives during a flush goes into the next, which keeps the pace of ingress. */
async function flushAll(): Promise<void> {
  while (waiting.length > 0) {
    await pace.next(waiting.length >= MOST_PER_FLUSH);
    await flush(waiting.splice(0, MOST_PER_FLUSH));
  }
  flushing = false;
}

async function flush(arrived: readonly Arrived[]): Promise<void> {
  const verdicts = await admission.decide(arrived.map(({ wakeup }) => wakeup));
  const leaving = arrived.filter((_, position) => verdicts[position]?.kind === "now");
  await queue.add(leaving.map(({ wakeup }) => wakeup));
  const now = loadClock.monotonic();
  for (const [position, { index }] of arrived.entries()) {
    served.loop.answered(index, answerOf(verdicts[position]), now);
  }
  served.pump();
}

const answerOf = (verdict: Verdict | undefined): string =>
  verdict?.kind === "now" ? ACCEPTED : (verdict?.kind ?? "no verdict");

serveDriver({}, served.answer, async () => {
  await queue[Symbol.asyncDispose]();
  redis.disconnect();
});
