import {
  type Clock,
  type DeviceKey,
  deviceKeyOf,
  type Millis,
  type PushEvent,
  type PushModule,
  type DeviceToken,
  redisKeysOf,
  type Region,
  type SecretSource,
  seconds,
} from "@reveille/wakeup";
import { type Redis } from "ioredis";

import { parseTestAnswer, type TestAnswer } from "./test-answer.ts";

export interface PushTestsOptions {
  /** Stays the caller's. */
  readonly redis: Redis;
  readonly region: Region;
  readonly secret: SecretSource;
  readonly clock: Clock;
}

/** The worker's side: tells whoever tests a device what became of its pushes. */
export interface PushTests extends AsyncDisposable {
  readonly note: (event: PushEvent) => void;
}

const LOOK_EVERY = seconds(1);
/** After this every worker that runs has looked. */
export const TESTS_ARE_SEEN_AFTER: Millis = seconds(2.5);
const FORGET_AFTER_S = 120;

/** Looks every second whether somebody tests a device; while nobody does, an event costs nothing. Never throws. */
export function followPushTests({ redis, region, secret, clock }: PushTestsOptions): PushTests {
  const keys = redisKeysOf(region);
  const stop = new AbortController();
  let tested: ReadonlySet<string> = new Set();
  const following = (async () => {
    for (;;) {
      await clock.sleep(LOOK_EVERY, stop.signal);
      if (stop.signal.aborted) return;
      tested = await look();
    }
  })();
  /** Without Redis nobody can ask for a test; whoever owns the connection tells of its troubles. */
  async function look(): Promise<ReadonlySet<string>> {
    try {
      const members: unknown = await redis.smembers(keys.tests);
      return new Set(Array.isArray(members) ? members.map(String) : []);
    } catch {
      return new Set();
    }
  }
  const tell = (device: DeviceKey, answer: TestAnswer): void => {
    const key = keys.testAnswers(device);
    void redis
      .multi()
      .rpush(key, JSON.stringify(answer))
      .expire(key, FORGET_AFTER_S)
      .exec()
      .catch(() => undefined);
  };
  return {
    note: (event) => {
      if (tested.size === 0) return;
      if (event.kind !== "delivery-settled" && event.kind !== "wakeup-dropped") return;
      const { token, module } = event.wakeup;
      const device = deviceKeyOf(secret, token, module);
      if (!tested.has(device)) return;
      if (event.kind === "delivery-settled") {
        tell(device, { kind: "settled", outcome: event.outcome, next: event.next });
      } else tell(device, { kind: "dropped", because: event.because });
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await following;
    },
  };
}

/** The operator's side. Disposing ends the test and forgets its answers. */
export interface OpenPushTest extends AsyncDisposable {
  /** The next answer of a worker; `undefined` if none comes within that time. Throws what Redis throws. */
  readonly next: (within: Millis) => Promise<TestAnswer | undefined>;
}

/** Has the region's workers tell what becomes of pushes to this device; resolves when all of them know of it. */
export async function openPushTest(
  { redis, region, secret, clock }: PushTestsOptions,
  device: { readonly token: DeviceToken; readonly module: PushModule },
): Promise<OpenPushTest> {
  const keys = redisKeysOf(region);
  const name = deviceKeyOf(secret, device.token, device.module);
  const answers = keys.testAnswers(name);
  await redis.multi().del(answers).sadd(keys.tests, name).expire(keys.tests, FORGET_AFTER_S).exec();
  await clock.sleep(TESTS_ARE_SEEN_AFTER);
  return {
    next: async (within) => {
      const reply: unknown = await redis.blpop(answers, within / 1_000);
      const [, text] = Array.isArray(reply) ? reply.map(String) : [];
      return text === undefined ? undefined : parseTestAnswer(text);
    },
    [Symbol.asyncDispose]: async () => {
      await redis.multi().srem(keys.tests, name).del(answers).exec();
    },
  };
}
