import {
  aModule,
  anFcmToken,
  aRegion,
  aRegionSecret,
  aToken,
  startRedis,
  type TestRedis,
} from "@reveille/testkit";
import {
  between,
  type DeviceKey,
  deviceKeyOf,
  epochMillis,
  hours,
  later,
  type Millis,
  millis,
  minutes,
  type PushModule,
  redisKeysOf,
  seconds,
  type Verdict,
  type Wakeup,
} from "@reveille/wakeup";
import fc from "fast-check";
import { type Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { LONGEST_THROTTLE, nextDeparture } from "./departure.ts";
import { decodeState, type DeviceState } from "./device-state.ts";
import { redisAdmission } from "./index.ts";
import { decodeMember } from "./trailing-member.ts";

const region = aRegion();
const secret = aRegionSecret();
const keys = redisKeysOf(region);
const windows = new Map<PushModule, Millis>([
  [aModule("short"), seconds(20)],
  [aModule("long"), minutes(15)],
]);
const windowOf = (module: PushModule): Millis => windows.get(module) ?? seconds(20);

let server: TestRedis;
let redis: Redis;

beforeAll(async () => {
  server = await startRedis();
  redis = await server.connect();
});
afterAll(async () => server[Symbol.asyncDispose]());

/** Redis TIME moves by `by`, back as well; then these devices are asked about, or one is throttled. */
interface Step {
  readonly by: number;
  readonly wakeups: readonly Wakeup[];
  readonly throttle: Millis | undefined;
}

// Both windows and the longest throttle, one less, the same, one more, and back.
const edges = [20_000, 900_000, 600_000].flatMap((edge) => [edge - 1, edge, edge + 1, -edge]);
const by = fc.oneof(fc.constantFrom(0, 1, -1, ...edges), fc.integer({ min: -30_000, max: 30_000 }));
const wakeup = fc.record({
  token: fc.integer({ min: 0, max: 3 }).map((seed) => (seed % 2 === 0 ? aToken(seed) : anFcmToken(seed))),
  module: fc.constantFrom(...windows.keys()),
  urgent: fc.boolean(),
  receivedAt: fc.constant(epochMillis(1)),
});
const step: fc.Arbitrary<Step> = fc.record({
  by,
  wakeups: fc.uniqueArray(wakeup, { maxLength: 8, selector: ({ token, module }) => `${token}${module}` }),
  throttle: fc.option(fc.constantFrom(seconds(1), seconds(30), minutes(10), hours(1)), {
    nil: undefined,
    freq: 8,
  }),
});

/** What the rule says, with states in a Map instead of in Redis. */
class Model {
  readonly states = new Map<DeviceKey, DeviceState>();
  readonly trailing: string[] = [];
  redisTime = epochMillis(Date.UTC(2026, 0, 1));
  #keptAt = epochMillis(0);
  #regionTime = epochMillis(0);

  /** A script looks at the clock and keeps what it saw. */
  look(): void {
    const went = between(this.#keptAt, this.redisTime);
    this.#regionTime = epochMillis(Math.max(this.redisTime, later(this.#regionTime, went)));
    this.#keptAt = this.redisTime;
  }

  decide(wakeup: Wakeup): Verdict {
    const key = deviceKeyOf(secret, wakeup.token, wakeup.module);
    const state = this.states.get(key) ?? { kind: "unknown" };
    const window = windowOf(wakeup.module);
    const departure = nextDeparture(state, wakeup.urgent, this.#regionTime, window);
    this.states.set(key, departure.state);
    if (departure.schedule !== undefined)
      this.trailing.push(`${departure.schedule} ${wakeup.token} ${wakeup.urgent}`);
    return departure.verdict;
  }

  throttle({ token, module }: Wakeup, by: Millis): void {
    const key = deviceKeyOf(secret, token, module);
    const state = this.states.get(key);
    const at = later(this.#regionTime, millis(Math.min(by, LONGEST_THROTTLE)));
    if (state === undefined || state.kind === "unknown" || (state.kind !== "dead" && state.at < at)) {
      this.states.set(key, { kind: "granted", at });
    }
  }
}

describe("the scripts of admission", () => {
  /**
   * Seen to fail by each of these in the scripts: `>=` for `>` and `>` for `>=` in every comparison, a grant kept as a
   * scheduled push and the reverse, urgency or its second entry not kept, no limit for what lies ahead or one without
   * the window, `now` for `at`, the window of another module, members without due time, a step back of the clock
   * believed, a throttle that shortens a state, wakes a dead device or has no limit.
   */
  it("decide as the rule does, whatever the clock of Redis does", async () => {
    const follows = async (steps: readonly Step[]): Promise<void> => {
      await redis.flushall();
      const model = new Model();
      const admission = redisAdmission({
        redis,
        region,
        secret,
        windowOf,
        forgetDeadAfter: () => hours(1),
        clock: { now: () => model.redisTime, monotonic: () => millis(0), sleep: async () => undefined },
        observe: () => undefined,
        redisTime: () => model.redisTime,
      });
      for (const { by, wakeups, throttle } of steps) {
        model.redisTime = epochMillis(model.redisTime + by);
        if (wakeups.length > 0) model.look();
        const verdicts = await admission.decide(wakeups);
        expect(verdicts).toEqual(wakeups.map((wakeup) => model.decide(wakeup)));
        const [first] = wakeups;
        if (throttle !== undefined && first !== undefined) {
          await admission.postpone(first, throttle);
          model.throttle(first, throttle);
        }
      }
      await expectSame(model);
    };
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 12 }), follows), { numRuns: 300 });
  });
});

async function expectSame(model: Model): Promise<void> {
  for (const [key, state] of model.states) {
    expect(decodeState(await redis.get(keys.device(key)))).toEqual(state);
  }
  const members = await redis.zrange(keys.trailing, 0, "-1");
  const stored = members.map((member) => decodeMember(member));
  const seen = stored.map((entry) => `${entry?.due} ${entry?.wakeup.token} ${entry?.wakeup.urgent}`);
  expect(new Set(seen)).toEqual(new Set(model.trailing));
}
