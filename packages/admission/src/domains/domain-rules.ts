import { randomUUID } from "node:crypto";

import { redisKeysOf, type Region } from "@reveille/wakeup";
import { type Redis } from "ioredis";

import { type DomainPattern } from "./domain-name.ts";
import { type DomainRule, encodeRule } from "./domain-rule.ts";
import { RuleBook, type RuledDomain } from "./rule-book.ts";

/** An operator's hand on sending domains; every ingress of the region follows within about a second. */
export interface DomainRules {
  readonly list: () => Promise<readonly RuledDomain[]>;
  readonly set: (pattern: DomainPattern, rule: DomainRule) => Promise<void>;
  /** The default holds again. False if there was no rule. */
  readonly remove: (pattern: DomainPattern) => Promise<boolean>;
}

/** Field of the hash that changes with every change; no domain is called so. */
export const STAMP = ":stamp";

/** Each call throws what Redis or the connection throws. */
export function domainRules({
  redis,
  region,
}: {
  readonly redis: Redis;
  readonly region: Region;
}): DomainRules {
  const key = redisKeysOf(region).domainRules;
  return {
    list: async () => new RuleBook(await redis.hgetall(key)).all,
    set: async (pattern, rule) =>
      void (await redis.hset(key, pattern, encodeRule(rule), STAMP, randomUUID())),
    remove: async (pattern) => {
      const removed = await redis.hdel(key, pattern);
      await redis.hset(key, STAMP, randomUUID());
      return removed > 0;
    },
  };
}
