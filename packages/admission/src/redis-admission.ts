import { deviceKeyOf, hours, millis, redisKeysOf, type Verdict, type Wakeup } from "@reveille/wakeup";

import { type AdmissionOptions } from "./admission-options.ts";
import { LONGEST_THROTTLE } from "./departure.ts";
import { deviceMemory, type DeviceMemory } from "./device-memory.ts";
import { intervalOf } from "./domains/domain-limit.ts";
import { type SharedBucket } from "./domains/local-buckets.ts";
import { type Asked, type Group, roundsOf, verdictsOf } from "./rounds.ts";
import { scriptOf } from "./script.ts";
import { encodePayload } from "./trailing-member.ts";
import { trailing, type Trailing } from "./trailing.ts";
import { wholeMillis } from "./whole-millis.ts";

/** May these devices be woken now? */
export interface Admission {
  /**
   * One verdict per wakeup, in the same order. A wakeup that is told `later` is durable by then. Several wakeups of
   * one device count as one: the others are told `merged`. `senders`, at the same places, are the domains that
   * published; what is over the limit of its domain changes nothing. Throws what Redis or the connection throws.
   */
  readonly decide: (wakeups: readonly Wakeup[], senders?: readonly string[]) => Promise<readonly Verdict[]>;
}

/** Devices per script call: bounds how long one call keeps Redis from others (0.4 ms). */
const MOST_PER_CALL = 128;

/** The outcome of a first push is waited for as long as a wakeup lives at most. */
const TRIAL_LASTS = hours(1);

const DECIDE = scriptOf("clock.lua", "limits.lua", "new-devices.lua", "decide.lua");

/** Admission over one Redis. The connection stays the caller's. */
export function redisAdmission(options: AdmissionOptions): Admission & DeviceMemory & Trailing {
  const { secret, redis, limits } = options;

  const ask = async (groups: readonly Group[]): Promise<readonly number[]> => {
    const { names, args, answers } = decideCall(groups, options);
    return parseReplies(await DECIDE.run(redis, names, args), answers);
  };

  return {
    decide: async (wakeups, senders = []) => {
      const asked = wakeups.map((wakeup, index): Asked => {
        const device = deviceKeyOf(secret, wakeup.token, wakeup.module);
        const sender = senders[index];
        const paidBy = sender === undefined ? {} : (limits?.paidBy(sender) ?? {});
        return { index, wakeup, device, bucket: paidBy.bucket, budget: paidBy.budget };
      });
      const verdicts: Verdict[] = [];
      for (const groups of roundsOf(asked, MOST_PER_CALL)) {
        const replies = await ask(groups);
        for (const [place, group] of groups.entries()) {
          const verdict = parseReply(replies[place]);
          const passed = replies[groups.length + place] ?? group.members.length;
          for (const [index, told] of verdictsOf(group, verdict, passed)) verdicts[index] = told;
        }
      }
      return verdicts;
    },
    ...deviceMemory(options),
    ...trailing(options),
  };
}

interface Call {
  readonly names: readonly string[];
  readonly args: readonly (string | number)[];
  /** How many integers the script answers. */
  readonly answers: number;
}

/** What `decide.lua` reads. */
function decideCall(groups: readonly Group[], options: AdmissionOptions): Call {
  const keys = redisKeysOf(options.region);
  const newDevices = options.newDevices?.();
  const buckets = bucketsOf(groups);
  const budgets = newDevices === undefined ? new Map<string, number>() : budgetsOf(groups);
  const names = [keys.clock, keys.trailing, ...groups.map(({ device }) => keys.device(device))];
  const lasting = newDevices === undefined ? 0 : wholeMillis(newDevices.rememberFor);
  const args: (string | number)[] = [options.redisTime?.() ?? "", LONGEST_THROTTLE, buckets.size];
  args.push(budgets.size, lasting);
  for (const { budget, members } of groups) {
    const { wakeup } = members[0];
    const window = wholeMillis(options.windowOf(wakeup.module));
    args.push(window * 256 + (budgets.get(budget ?? "") ?? 0), encodePayload(wakeup));
  }
  if (buckets.size > 0) {
    names.push(...buckets.keys());
    args.push(...limitArgs(groups, buckets));
  }
  if (newDevices !== undefined) {
    names.push(keys.budgetOfAll("first"), keys.budgetOfAll("further"), ...budgets.keys());
    const { perDomain, inAll } = newDevices;
    args.push(intervalOf(perDomain) * 1_000, perDomain.burst, intervalOf(inAll) * 1_000, inAll.burst);
    args.push(TRIAL_LASTS);
  }
  return { names, args, answers: groups.length * (buckets.size > 0 ? 2 : 1) };
}

/** Numbers from 1, by key. */
function budgetsOf(groups: readonly Group[]): ReadonlyMap<string, number> {
  const budgets = new Map<string, number>();
  for (const { budget } of groups) {
    if (budget !== undefined && !budgets.has(budget)) budgets.set(budget, budgets.size + 1);
  }
  return budgets;
}

interface NumberedBucket extends SharedBucket {
  /** Counted from 1. */
  readonly number: number;
}

function bucketsOf(groups: readonly Group[]): ReadonlyMap<string, NumberedBucket> {
  const buckets = new Map<string, NumberedBucket>();
  for (const { bucket } of groups) {
    if (bucket === undefined || buckets.has(bucket.key)) continue;
    buckets.set(bucket.key, { ...bucket, number: buckets.size + 1 });
  }
  return buckets;
}

/** What `limits.lua` reads. */
function limitArgs(
  groups: readonly Group[],
  buckets: ReadonlyMap<string, NumberedBucket>,
): readonly number[] {
  const args: number[] = [];
  for (const { bucket, members } of groups) {
    args.push((bucket && buckets.get(bucket.key)?.number) ?? 0, members.length);
  }
  for (const { limit } of buckets.values()) args.push(intervalOf(limit) * 1_000, limit.burst);
  return args;
}

function parseReplies(replies: unknown, expected: number): readonly number[] {
  if (!Array.isArray(replies) || replies.length !== expected) {
    throw new Error("the script decide.lua did not answer as many integers as it was asked for");
  }
  return replies.map(Number);
}

const VERDICTS: ReadonlyMap<number, Verdict> = new Map([
  [0, { kind: "now" }],
  [-1, { kind: "merged" }],
  [-2, { kind: "dead" }],
  [-3, { kind: "over-limit" }],
  [-4, { kind: "over-budget" }],
  [-5, { kind: "now", unproven: true }],
]);

function parseReply(reply = Number.NaN): Verdict {
  if (reply > 0) return { kind: "later", after: millis(reply) };
  const verdict = VERDICTS.get(reply);
  if (verdict === undefined) throw new Error(`the script decide.lua answered ${reply}`);
  return verdict;
}
