import { openRegionSecret } from "@reveille/admission";
import { openPushTest, type OpenPushTest, openWorkerRedis, type TestAnswer } from "@reveille/queue";
import { type CanaryFile, formatDuration, type Logger } from "@reveille/runtime";
import {
  type Clock,
  type DeviceToken,
  type Millis,
  millis,
  type PushModule,
  seconds,
} from "@reveille/wakeup";

import { reasonOf } from "../terminal/reason-of.ts";
import { redisSettingsOf } from "../role/redis-settings.ts";
import { type CanaryPlan } from "./plan.ts";

/** What became of the canary's push. */
export type Delivery =
  /** The push service has accepted it; `at` by the monotonic clock. */
  | { readonly kind: "delivered"; readonly at: Millis }
  | { readonly kind: "refused"; readonly because: string }
  | { readonly kind: "unseen"; readonly because: string };

/** Looks for the push of one round. Disposing ends that. */
export interface DeliveryWatch extends AsyncDisposable {
  /** What becomes of the push; "unseen" once the time is over or `signal` aborts. Never rejects. */
  readonly settled: (within: Millis, signal: AbortSignal) => Promise<Delivery>;
}

/** The one hostname whose deliveries can be seen, since its region's Redis is ours to ask. */
export interface Watchable {
  readonly hostname: string;
  /** Resolves when the workers know whom to tell of, or when it is clear that they cannot. Never rejects. */
  readonly open: () => Promise<DeliveryWatch>;
}

interface Watched {
  readonly file: Pick<CanaryFile, "region"> & { readonly redis: NonNullable<CanaryFile["redis"]> };
  readonly device: { readonly token: DeviceToken; readonly module: PushModule };
  readonly clock: Clock;
  readonly log: Logger;
}

/** `undefined` if the canary has no device, or this machine is of none of the regions that it publishes to. */
export function watchableOf(
  file: CanaryFile,
  { token, module = file.defaultModule, hostnames }: CanaryPlan,
  tools: Pick<Watched, "clock" | "log">,
): Watchable | undefined {
  const { region, redis, ingress } = file;
  const served = new Set(ingress?.components.map(({ domain }) => domain));
  const hostname = hostnames.find((name) => served.has(name));
  if (hostname === undefined || redis === undefined || token === undefined || module === undefined)
    return undefined;
  const watched: Watched = { file: { region, redis }, device: { token, module }, ...tools };
  return { hostname, open: () => openWatch(watched) };
}

/** To connect, and for the workers to look. */
const OPEN_WITHIN = seconds(8);

async function openWatch(watched: Watched): Promise<DeliveryWatch> {
  const { file, clock, log } = watched;
  await using opened = new AsyncDisposableStack();
  try {
    const redis = await openWorkerRedis(await redisSettingsOf(file, log), {
      connection: "canary",
      clock,
      observe: () => undefined,
      connectWithin: seconds(3),
    });
    // Also ends what waits for an answer of a Redis that is gone.
    opened.defer(() => redis.disconnect());
    const test = await inTime(openTest(redis, watched), clock);
    const kept = opened.move();
    return {
      settled: (within, signal) => watch(test, { within, signal, clock }),
      [Symbol.asyncDispose]: async () => {
        await inTime(test[Symbol.asyncDispose](), clock).catch(() => undefined);
        await kept.disposeAsync();
      },
    };
  } catch (error) {
    return blindWatch(reasonOf(error));
  }
}

async function openTest(
  redis: Awaited<ReturnType<typeof openWorkerRedis>>,
  { file: { region }, device, clock }: Watched,
): Promise<OpenPushTest> {
  const secret = await openRegionSecret(redis, region);
  const test = await openPushTest({ redis, region, secret, clock }, device);
  // What was told meanwhile is about a push of an earlier round.
  while ((await test.next(millis(10))) !== undefined);
  return test;
}

async function inTime<Result>(result: PromiseLike<Result>, clock: Clock): Promise<Result> {
  const done = new AbortController();
  const late = clock.sleep(OPEN_WITHIN, done.signal).then(() => {
    throw new Error("Redis does not answer");
  });
  try {
    return await Promise.race([result, late]);
  } finally {
    done.abort();
    late.catch(() => undefined);
  }
}

const blindWatch = (because: string): DeliveryWatch => ({
  settled: () => Promise.resolve({ kind: "unseen", because }),
  [Symbol.asyncDispose]: () => Promise.resolve(),
});

interface Watching {
  readonly within: Millis;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** Reads what workers tell until the push is settled. Whoever lost the race is ended by the watch's disposal. */
async function watch(test: OpenPushTest, { within, signal, clock }: Watching): Promise<Delivery> {
  const over = new AbortController();
  const late = clock.sleep(within, AbortSignal.any([over.signal, signal])).then((): Delivery => ({
    kind: "unseen",
    because: `no worker has told of it within ${formatDuration(within)}`,
  }));
  const told = firstEnd(test, clock, over.signal).catch((error: unknown): Delivery => ({
    kind: "unseen",
    because: reasonOf(error),
  }));
  const delivery = await Promise.race([told, late]);
  over.abort();
  return delivery;
}

/** A connection that waits for an answer does nothing else: whoever gives the watch up waits as long at most. */
const LOOK_FOR = seconds(1);

async function firstEnd(test: OpenPushTest, clock: Clock, until: AbortSignal): Promise<Delivery> {
  while (!until.aborted) {
    const answer = await test.next(LOOK_FOR);
    const delivery = answer === undefined ? undefined : deliveryOf(answer, clock.monotonic());
    if (delivery !== undefined) return delivery;
  }
  return { kind: "unseen", because: "nobody looks any more" };
}

/** `undefined` if something follows: another attempt, or the newer push that covers this one. */
export function deliveryOf(answer: TestAnswer, at: Millis): Delivery | undefined {
  if (answer.kind === "dropped") {
    return answer.because === "covered" ? undefined : { kind: "refused", because: answer.because };
  }
  const { outcome, next } = answer;
  if (outcome.kind === "delivered") return { kind: "delivered", at };
  if (next === "retry") return undefined;
  return { kind: "refused", because: `${outcome.kind} ${outcome.reason ?? ""}`.trim() };
}
