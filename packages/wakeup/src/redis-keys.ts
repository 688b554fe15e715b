import { type BucketKey, type DeviceKey, type DomainKey } from "./fingerprint.ts";
import { type PushModule } from "./push-module.ts";
import { type Region } from "./region.ts";

/**
 * Every Redis key of a region; nobody makes one elsewhere. All carry the region's hash tag, so scripts and
 * queue share a slot (Redis Cluster rules), and two regions on one Redis don't meet.
 */
export interface RedisKeys {
  /** Key prefix of BullMQ: its keys are `<prefix>:<queue>:…`. No TTL. */
  readonly queuePrefix: string;
  /** The region's clock, which never steps back: `<region time> <Redis time>`, both epoch ms. No TTL. */
  readonly clock: string;
  /** ZSET of trailing pushes: score = due time in epoch ms of the region's clock. No TTL. */
  readonly trailing: string;
  /** The region secret, made at the first start. No TTL. */
  readonly secret: string;
  /**
   * One integer per device; see admission. TTL: `admission.rememberDevices` once a push was accepted for it, until then
   * at most two windows or a throttle; the life of a dead mark.
   */
  readonly device: (device: DeviceKey) => string;
  /** Present while pushes of a module may be covered by newer ones. TTL: until that is over unless told again. */
  readonly backlog: (module: PushModule) => string;
  /** During a backlog: up to when a push serves what was received, when it was accepted, when one was cleared. TTL: the longest deadline. */
  readonly accepted: (device: DeviceKey) => string;
  /** HASH of the modules that the configuration has ever named, with the kind of their tokens; see admission. No TTL. */
  readonly servedModules: string;
  /** ZSET of the keys of those: score = since when, epoch ms. Bounds them. TTL: the longest deadline. */
  readonly backlogDevices: string;
  /** HASH of an operator's rules, by sending domain; see admission. No TTL. */
  readonly domainRules: string;
  /** The token bucket of a sending domain. TTL: until it is full. */
  readonly bucket: (bucket: BucketKey) => string;
  /** ZSET of the devices that are dead by the word of the push service: score = since when, epoch ms. TTL: the life of a mark. */
  readonly deadMarks: string;
  /** Which budget paid for the first push to a new device. TTL: an hour, or until its outcome. */
  readonly newDevice: (device: DeviceKey) => string;
  /** What a sending domain has used of its budget for new devices. TTL: until all of it is free again. */
  readonly budget: (budget: BucketKey) => string;
  /** The same of all domains together: `first` for the first few of each domain. TTL: until all of it is free again. */
  readonly budgetOfAll: (pool: BudgetPool) => string;
  /** ZSET of the domains that sent content in clear of late: score = last time, epoch ms. TTL: a week. */
  readonly clearSenders: string;
  /** HASH of the publishes of a sending domain, by slice of five minutes and result. TTL: an hour after the last. */
  readonly domainCounts: (domain: DomainKey) => string;
  /** ZSET of the domains that are counted: score = last time, epoch ms. Bounds them. TTL: an hour after the last publish. */
  readonly countedDomains: string;
  /** HASH: since when all domains have been counted. TTL: a day after the last publish. */
  readonly counting: string;
  /** Number of the last batch of counts that a process has written. TTL: an hour. */
  readonly countedBy: (process: string) => string;
  /** When a token was first suspected to be dead. TTL: until the suspicion lapses. */
  readonly suspicion: (device: DeviceKey) => string;
  /** Present while no rewrite of the append-only file is due. TTL: `redis.rewriteEvery`. */
  readonly appendOnlyFileRewrite: string;
  /** SET of the devices that an operator tests just now. TTL: two minutes after the last was added. */
  readonly tests: string;
  /** LIST of what became of the pushes to a device that is tested; without its token. TTL: two minutes. */
  readonly testAnswers: (device: DeviceKey) => string;
  /** Present while it is true of some process of the region. TTL: seconds; given again every second. */
  readonly sign: (sign: Sign) => string;
}

/**
 * What the processes of a region let each other know by a key that stands while it is true: `ingress`: one runs, and
 * Redis takes its writes; `worker`: one can send for at least one module; `batch-taken`: one has taken a batch lately; `stand-in`:
 * an ingress serves the front of another host; `wants-place`: one stands by at the front of its own host. Its value is
 * the name of the host.
 */
export type Sign = "ingress" | "worker" | "batch-taken" | "stand-in" | "wants-place";

/** New devices of a domain that has few of them, and of one that has more: two budgets, so that the latter leave some. */
export type BudgetPool = "first" | "further";

/** Name of the region's BullMQ queue. */
export const QUEUE_NAME = "wakeups";

export const redisKeysOf = (region: Region): RedisKeys => ({
  queuePrefix: `{${region}}q`,
  clock: `{${region}}clock`,
  trailing: `{${region}}trailing`,
  secret: `{${region}}secret`,
  device: (device) => `{${region}}d${device}`,
  backlog: (module) => `{${region}}backlog-${module}`,
  accepted: (device) => `{${region}}a${device}`,
  servedModules: `{${region}}served-modules`,
  backlogDevices: `{${region}}accepted`,
  domainRules: `{${region}}domain-rules`,
  bucket: (bucket) => `{${region}}limit-${bucket}`,
  deadMarks: `{${region}}dead`,
  newDevice: (device) => `{${region}}n${device}`,
  budget: (budget) => `{${region}}budget-${budget}`,
  budgetOfAll: (pool) => `{${region}}budget-all-${pool}`,
  clearSenders: `{${region}}clear-senders`,
  domainCounts: (domain) => `{${region}}c${domain}`,
  countedDomains: `{${region}}counted`,
  counting: `{${region}}counting`,
  countedBy: (process) => `{${region}}counted-${process}`,
  suspicion: (device) => `{${region}}s${device}`,
  appendOnlyFileRewrite: `{${region}}aof-rewrite`,
  tests: `{${region}}tests`,
  testAnswers: (device) => `{${region}}t${device}`,
  sign: (sign) => `{${region}}sign-${sign}`,
});
