import { type DeviceKey, millis, redisKeysOf, type Verdict, type Wakeup } from "@reveille/wakeup";

import { type AdmissionOptions } from "./admission-options.ts";
import { LONGEST_THROTTLE } from "./departure.ts";
import { deviceMemory, type DeviceMemory } from "./device-memory.ts";
import { foldByDevice, verdictOfFolded } from "./fold.ts";
import { scriptOf } from "./script.ts";
import { encodePayload } from "./trailing-member.ts";
import { trailing, type Trailing } from "./trailing.ts";
import { wholeMillis } from "./whole-millis.ts";

/** May these devices be woken now? */
export interface Admission {
  /**
   * One verdict per wakeup, in the same order. A wakeup that is told `later` is durable by then. Several wakeups of
   * one device count as one: the others are told `merged`. Throws what Redis or the connection throws.
   */
  readonly decide: (wakeups: readonly Wakeup[]) => Promise<readonly Verdict[]>;
}

/** Wakeups per script call: bounds how long one call keeps Redis from others (0.4 ms). */
const MOST_PER_CALL = 128;

const DECIDE = scriptOf("clock.lua", "decide.lua");

/** Admission over one Redis. The connection stays the caller's. */
export function redisAdmission(options: AdmissionOptions): Admission & DeviceMemory & Trailing {
  const { secret, redis, windowOf } = options;
  const keys = redisKeysOf(options.region);

  const ask = async (devices: readonly (readonly [DeviceKey, Wakeup])[]): Promise<readonly Verdict[]> => {
    const args: (string | number)[] = [options.redisTime?.() ?? "", LONGEST_THROTTLE];
    for (const [, wakeup] of devices) {
      args.push(wholeMillis(windowOf(wakeup.module)), encodePayload(wakeup));
    }
    const names = [keys.clock, keys.trailing, ...devices.map(([device]) => keys.device(device))];
    return parseReplies(await DECIDE.run(redis, names, args), devices.length);
  };

  return {
    decide: async (wakeups) => {
      const folded = foldByDevice(wakeups, secret);
      const devices = [...folded.speakers].map(([key, index]) => [key, known(wakeups[index])] as const);
      const verdicts = new Map<DeviceKey, Verdict>();
      for (let from = 0; from < devices.length; from += MOST_PER_CALL) {
        const asked = devices.slice(from, from + MOST_PER_CALL);
        const answers = await ask(asked);
        for (const [index, [key]] of asked.entries()) verdicts.set(key, known(answers[index]));
      }
      return folded.keys.map((key, index) => {
        const verdict = known(verdicts.get(key));
        return folded.speakers.get(key) === index ? verdict : verdictOfFolded(verdict);
      });
    },
    ...deviceMemory(options),
    ...trailing(options),
  };
}

function parseReplies(replies: unknown, expected: number): readonly Verdict[] {
  if (!Array.isArray(replies) || replies.length !== expected) {
    throw new Error("the script decide.lua did not answer one integer per device");
  }
  return replies.map((reply: unknown) => parseReply(Number(reply)));
}

function parseReply(reply: number): Verdict {
  if (reply === 0) return { kind: "now" };
  if (reply === -1) return { kind: "merged" };
  if (reply === -2) return { kind: "dead" };
  if (reply > 0) return { kind: "later", after: millis(reply) };
  throw new Error(`the script decide.lua answered ${reply}`);
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a device of this micro-batch got no verdict");
  return value;
}
