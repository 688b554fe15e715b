import { randomUUID } from "node:crypto";

import {
  type Counted,
  type CountedBatch,
  type DomainKey,
  domainKeyOf,
  type DomainRecord,
  epochMillis,
  type EpochMillis,
  redisKeysOf,
  type Region,
  type SecretSource,
  type SenderSoftware,
} from "@reveille/wakeup";
import { type Redis } from "ioredis";

import { scriptOf } from "../script.ts";
import { clearSoftwareOf } from "./clear-senders.ts";
import { lookupForm } from "./domain-name.ts";

/** What a region has counted of each sending domain in the last hour, by slices of five minutes of its clock. */
export interface RegionCounts {
  /**
   * Adds what this process has counted; a batch that is offered again, as its answer was lost, adds nothing if it was added
   * before. Keeps Redis from others for 0.02 ms per domain. Throws what Redis or the connection throws.
   */
  readonly add: (batch: CountedBatch) => Promise<void>;
  /**
   * All that was counted of this domain, or that there was no room for it: domains that publish within the hour are
   * never pushed out by new ones. Throws what Redis or the connection throws.
   */
  readonly of: (domain: string) => Promise<DomainRecord | "no-room">;
}

export interface RegionCountsOptions {
  readonly redis: Redis;
  readonly region: Region;
  readonly secret: SecretSource;
  /** Takes the place of Redis TIME, in tests. */
  readonly redisTime?: () => EpochMillis;
  /** Most domains; 8,192 unless told. One with three results in each slice takes 820 bytes. */
  readonly most?: number;
}

/** Stands in Redis: a letter never gets another meaning. */
const LETTERS: Readonly<Record<Counted, string>> = {
  queued: "a",
  later: "b",
  merged: "c",
  "token-dead": "d",
  "no-device-token": "e",
  "unknown-module": "f",
  "module-changed": "r",
  malformed: "g",
  "over-limit": "h",
  blocked: "i",
  "not-a-server": "j",
  overload: "k",
  draining: "l",
  "our-trouble": "m",
  "in-clear": "n",
  "over-budget": "o",
  reached: "p",
  unreached: "q",
};

const MOST_DOMAINS = 8_192;

const COUNT = scriptOf("clock.lua", "domains/count-domains.lua");
const READ = scriptOf("clock.lua", "domains/read-domain.lua");

/** The connection stays the caller's. */
export function openRegionCounts(options: RegionCountsOptions): RegionCounts {
  const { redis, region, secret, redisTime, most = MOST_DOMAINS } = options;
  const keys = redisKeysOf(region);
  const mine = keys.countedBy(randomUUID());
  const time = (): string => String(redisTime?.() ?? "");
  const keyOf = (domain: string): DomainKey => domainKeyOf(secret, lookupForm(domain));

  return {
    add: async ({ number, domains, begun, ended, isPartial }) => {
      const names = [keys.clock, keys.countedDomains, keys.counting, mine];
      const args: (string | number)[] = [time(), number, Math.ceil(begun), Math.ceil(ended)];
      args.push(isPartial ? 1 : 0, most);
      for (const { domain, counts } of domains) {
        const key = keyOf(domain);
        names.push(keys.domainCounts(key));
        args.push(key, counts.size, ...[...counts].flatMap(([what, count]) => [LETTERS[what], count]));
      }
      await COUNT.run(redis, names, args);
    },
    of: async (domain) => {
      const key = keyOf(domain);
      const names = [keys.clock, keys.countedDomains, keys.counting, keys.domainCounts(key)];
      const [reply, clearSoftware] = await Promise.all([
        READ.run(redis, names, [time(), key, most]),
        clearSoftwareOf(redis, region, domain),
      ]);
      return recordOf(reply, clearSoftware);
    },
  };
}

function recordOf(reply: unknown, clearSoftware: SenderSoftware | undefined): DomainRecord | "no-room" {
  if (!Array.isArray(reply)) throw new Error("the script read-domain.lua did not answer a list");
  const [hasRoom, since, ...counts] = reply.map(String);
  if (hasRoom === "0") return "no-room";
  return {
    since: epochMillis(Number(since)),
    clearSoftware,
    count: (what) => {
      let sum = 0;
      for (let at = 0; at + 1 < counts.length; at += 2) {
        if (counts[at] === LETTERS[what]) sum += Number(counts[at + 1]);
      }
      return sum;
    },
  };
}
