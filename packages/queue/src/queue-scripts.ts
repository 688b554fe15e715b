import { readFileSync } from "node:fs";

import { Script } from "@reveille/wakeup";
import { type Redis } from "ioredis";

import { type BatchId } from "./batch-id.ts";

/** A job as Redis has it. */
export interface StoredJob {
  readonly id: string;
  /** JSON, or whatever somebody else wrote. */
  readonly data: string;
  /** How often a worker that had it in hand was given up. */
  readonly stalls: number;
}

/** A job in hand, with the token of its lock. */
export interface Held {
  readonly id: string;
  readonly token: string;
}

export interface Exchanged {
  /** Ids of settled jobs that somebody else has in hand. */
  readonly lost: ReadonlySet<string>;
  readonly taken: readonly StoredJob[];
  /** If no more can be taken now: when the first of those put off is due, 0 without any. */
  readonly nextDue?: number;
}

/** A group of wakeups that is tried again, as the job that it will be. */
export interface DelayedJob {
  readonly id: string | BatchId;
  readonly delay: number;
  readonly data: string;
}

/** Our own way through BullMQ's keys, in as few calls as possible. Each call throws what Redis or the connection throws. */
export interface QueueScripts {
  /** Lets settled jobs go and takes up to `most` others under locks with this token. */
  readonly exchange: (settled: readonly Held[], most: number, token: string) => Promise<Exchanged>;
  /** Renews locks, also those that ran out, unless the job was put back. */
  readonly renew: (held: readonly Held[]) => Promise<void>;
  /** `own` keeps the id of the job in hand. False if somebody else has that in hand now. */
  readonly postpone: (token: string, own: DelayedJob, others: readonly DelayedJob[]) => Promise<boolean>;
}

export interface QueueScriptsOptions {
  readonly redis: Redis;
  /** Name of a key of BullMQ, e.g. `wait`. */
  readonly toKey: (type: string) => string;
  readonly now: () => number;
  readonly lockMs: number;
  readonly jobName: string;
  /** Of jobs that are tried again. */
  readonly retryPriority: number;
}

const scriptOf = (file: string): Script => new Script(readFileSync(new URL(file, import.meta.url), "utf8"));

const EXCHANGE = scriptOf("exchange.lua");
const RENEW = scriptOf("renew.lua");
const POSTPONE = scriptOf("postpone.lua");

export function queueScripts(options: QueueScriptsOptions): QueueScripts {
  const { redis, toKey, now, lockMs } = options;
  const prefix = toKey("");
  const keysOf = (...types: readonly string[]): readonly string[] => types.map(toKey);
  const pairs = (held: readonly Held[]): readonly string[] => held.flatMap(({ id, token }) => [id, token]);
  const exchangeKeys = keysOf("wait", "active", "prioritized", "delayed", "meta", "pc", "marker", "stalled");
  const renewKeys = keysOf("active", "stalled");
  const postponeKeys = keysOf("wait", "active", "prioritized", "delayed", "marker", "stalled");

  return {
    exchange: async (settled, most, token) => {
      const args = [prefix, now(), token, lockMs, most, ...pairs(settled)];
      return parseExchange(await EXCHANGE.run(redis, exchangeKeys, args));
    },
    renew: async (held) => {
      if (held.length > 0) await RENEW.run(redis, renewKeys, [prefix, lockMs, ...pairs(held)]);
    },
    postpone: async (token, own, others) => {
      const groups = [own, ...others].flatMap(({ id, delay, data }) => [id, Math.ceil(delay), data]);
      const { jobName, retryPriority } = options;
      const args = [prefix, now(), token, jobName, retryPriority, ...groups];
      return Number(await POSTPONE.run(redis, postponeKeys, args)) === 1;
    },
  };
}

function parseExchange(reply: unknown): Exchanged {
  if (!Array.isArray(reply)) throw new Error("the script exchange.lua did not answer two lists");
  const [lost, fields] = [textsOf(reply[0]), textsOf(reply[1])];
  const nextDue: unknown = reply[2];
  const taken: StoredJob[] = [];
  for (let at = 0; at + 2 < fields.length; at += 3) {
    const [id = "", data = "", stalls] = fields.slice(at, at + 3);
    taken.push({ id, data, stalls: Number(stalls) });
  }
  return { lost: new Set(lost), taken, ...(nextDue === undefined ? {} : { nextDue: Number(nextDue) }) };
}

const textsOf = (part: unknown): readonly string[] => (Array.isArray(part) ? part.map(String) : []);
