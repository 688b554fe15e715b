import { randomUUID } from "node:crypto";

import { describe, expect, it } from "vitest";

import {
  bucketKeyOf,
  budgetKeyOf,
  deviceKeyOf,
  domainKeyOf,
  isPushModule,
  isRegion,
  isRegionSecret,
  parseDeviceToken,
  REDIS_KEY_KINDS,
  redisKeyKind,
  redisKeysOf,
} from "./index.ts";

const region = "eu";
const module = "monalProdiOS";
const secret = "s".repeat(43);
const token = parseDeviceToken("ab".repeat(32));
if (!isRegion(region) || !isPushModule(module) || !isRegionSecret(secret) || token === undefined) {
  throw new Error("bad fixtures");
}
const keys = redisKeysOf(region);
const device = deviceKeyOf(secret, token, module);

const examples: Readonly<Record<keyof typeof REDIS_KEY_KINDS, string>> = {
  queuePrefix: `${keys.queuePrefix}:wakeups:1`,
  trailing: keys.trailing,
  clock: keys.clock,
  secret: keys.secret,
  device: keys.device(device),
  suspicion: keys.suspicion(device),
  accepted: keys.accepted(device),
  backlog: keys.backlog(module),
  appendOnlyFileRewrite: keys.appendOnlyFileRewrite,
  tests: keys.tests,
  testAnswers: keys.testAnswers(device),
  sign: keys.sign("batch-taken"),
  servedModules: keys.servedModules,
  domainRules: keys.domainRules,
  bucket: keys.bucket(bucketKeyOf(secret, "a.example 1 2")),
  backlogDevices: keys.backlogDevices,
  deadMarks: keys.deadMarks,
  newDevice: keys.newDevice(device),
  budget: keys.budget(budgetKeyOf(secret, "a.example 1 2")),
  budgetOfAll: keys.budgetOfAll("further"),
  clearSenders: keys.clearSenders,
  domainCounts: keys.domainCounts(domainKeyOf(secret, "a.example")),
  countedDomains: keys.countedDomains,
  counting: keys.counting,
  countedBy: keys.countedBy(randomUUID()),
};

describe("the kinds of Redis keys", () => {
  it.each(Object.entries(examples))("know %s, and describe it as it looks", (kind, key) => {
    expect(redisKeyKind(region, key)).toBe(kind);
    const described = Object.entries(REDIS_KEY_KINDS).find(([name]) => name === kind)?.[1];
    expect(key.startsWith(`{${region}}${described?.pattern.replace("…", "")}`)).toBe(true);
  });

  it("know nothing else, and no other region", () => {
    for (const key of ["{eu}dshort", "{eu}x", "{eu}", "other", "{us}clock", `{eu}${examples.device}`]) {
      expect(redisKeyKind(region, key)).toBeUndefined();
    }
  });
});
