import { type RedisKeys } from "./redis-keys.ts";
import { type Region } from "./region.ts";

export type RedisKeyKind = keyof RedisKeys;

/** What stands under the keys of one kind, for people who ask what is kept. */
export interface RedisKeyDescription {
  /** The key after the region's hash tag; `…` stands for what differs. */
  readonly pattern: string;
  readonly holds: string;
  /** Whether Redis removes each key by itself. The others are named here with the reason. */
  readonly expires: boolean;
}

export const REDIS_KEY_KINDS: Readonly<Record<RedisKeyKind, RedisKeyDescription>> = {
  queuePrefix: {
    pattern: "q:…",
    holds:
      "batches of wakeups (device token, module, urgency, time); a batch goes when all its wakeups are done",
    expires: false,
  },
  trailing: {
    pattern: "trailing",
    holds: "wakeups whose push leaves later, by due time; each goes when its push leaves",
    expires: false,
  },
  clock: { pattern: "clock", holds: "the region's time", expires: false },
  secret: {
    pattern: "secret",
    holds: "the secret that keys the hashes; it lives as long as the region",
    expires: false,
  },
  device: {
    pattern: "d…",
    holds:
      "under a keyed hash of the token, and a number for the module: when a push last left or leaves next, whether one was ever accepted, or that the device is gone",
    expires: true,
  },
  suspicion: {
    pattern: "s…",
    holds: "under a keyed hash: since when Apple calls the token bad",
    expires: true,
  },
  accepted: {
    pattern: "a…",
    holds: "under a keyed hash, during a backlog only: when a push was last accepted",
    expires: true,
  },
  backlogDevices: {
    pattern: "accepted",
    holds: "keyed hashes of the devices that had a push during a backlog, and since when",
    expires: true,
  },
  backlog: { pattern: "backlog-…", holds: "that a module has a backlog", expires: true },
  appendOnlyFileRewrite: {
    pattern: "aof-rewrite",
    holds: "that the append-only file was rewritten of late",
    expires: true,
  },
  tests: {
    pattern: "tests",
    holds: "keyed hashes of the devices that an operator tests just now",
    expires: true,
  },
  testAnswers: {
    pattern: "t…",
    holds: "under a keyed hash, for two minutes: what became of the pushes of an operator's test; no token",
    expires: true,
  },
  sign: { pattern: "sign-…", holds: "that some process of the region works", expires: true },
  servedModules: {
    pattern: "served-modules",
    holds: "names of the push modules that the configuration has ever had, with their push service",
    expires: false,
  },
  domainRules: {
    pattern: "domain-rules",
    holds: "what an operator typed: which sending domains are blocked, limited or allowed",
    expires: false,
  },
  bucket: {
    pattern: "limit-…",
    holds: "under a keyed hash of a sending domain that has a limit: how much of it is used up",
    expires: true,
  },
  deadMarks: {
    pattern: "dead",
    holds: "keyed hashes of the devices that are gone by the word of Apple or Google, and since when",
    expires: true,
  },
  newDevice: {
    pattern: "n…",
    holds:
      "under a keyed hash of a device that never had a push: a keyed hash of the sending domain's budget, until the outcome of the first push",
    expires: true,
  },
  budget: {
    pattern: "budget-…",
    holds: "under a keyed hash of a sending domain: how much of its budget for new devices is used up",
    expires: true,
  },
  budgetOfAll: {
    pattern: "budget-all-…",
    holds: "how much of the budget for new devices of all domains together is used up",
    expires: true,
  },
  clearSenders: {
    pattern: "clear-senders",
    holds: "domains whose servers send content in clear (at most 200), when last, and what they seem to run",
    expires: true,
  },
  domainCounts: {
    pattern: "c…",
    holds:
      "under a keyed hash of a sending domain: how many of its publishes of the last hour had which result",
    expires: true,
  },
  countedDomains: {
    pattern: "counted",
    holds:
      "keyed hashes of the sending domains of the last hour (at most 8192), and when each published last",
    expires: true,
  },
  counting: { pattern: "counting", holds: "since when publishes have been counted", expires: true },
  countedBy: {
    pattern: "counted-…",
    holds: "how often a process has written its counts; nothing of domains",
    expires: true,
  },
};

const HASH = "[A-Za-z0-9_-]{22}";
const DEVICE = "[A-Za-z0-9_-]{16}[0-9a-z]{1,7}";
const SHAPES: Readonly<Record<RedisKeyKind, RegExp>> = {
  queuePrefix: /^q:/,
  trailing: /^trailing$/,
  clock: /^clock$/,
  secret: /^secret$/,
  device: new RegExp(`^d${DEVICE}$`),
  suspicion: new RegExp(`^s${DEVICE}$`),
  accepted: new RegExp(`^a${DEVICE}$`),
  backlogDevices: /^accepted$/,
  backlog: /^backlog-/,
  appendOnlyFileRewrite: /^aof-rewrite$/,
  tests: /^tests$/,
  testAnswers: new RegExp(`^t${HASH}$`),
  sign: /^sign-/,
  servedModules: /^served-modules$/,
  domainRules: /^domain-rules$/,
  bucket: new RegExp(`^limit-${HASH}$`),
  deadMarks: /^dead$/,
  newDevice: new RegExp(`^n${DEVICE}$`),
  budget: new RegExp(`^budget-${HASH}$`),
  budgetOfAll: /^budget-all-(?:first|further)$/,
  clearSenders: /^clear-senders$/,
  domainCounts: new RegExp(`^c${HASH}$`),
  countedDomains: /^counted$/,
  counting: /^counting$/,
  countedBy: /^counted-[0-9a-f-]{36}$/,
};

const isKind = (name: string): name is RedisKeyKind => name in SHAPES;

/** Which kind a key of this region is; `undefined` for one that no version of ours makes, or of another region. */
export function redisKeyKind(region: Region, key: string): RedisKeyKind | undefined {
  const tag = `{${region}}`;
  if (!key.startsWith(tag)) return undefined;
  const rest = key.slice(tag.length);
  return Object.keys(SHAPES)
    .filter(isKind)
    .find((kind) => SHAPES[kind].test(rest));
}
