import {
  type Clock,
  detached,
  type EpochMillis,
  epochMillis,
  hours,
  redisKeysOf,
  type Region,
  seconds,
  type SenderSoftware,
} from "@reveille/wakeup";
import { type Redis } from "ioredis";

import { type DomainName, parseDomainName } from "./domain-name.ts";

/** A domain whose publishes carried a sender's address or the text of a message in clear. */
export interface ClearSender {
  readonly domain: DomainName;
  /** What its server seems to be. */
  readonly software: SenderSoftware;
  readonly lastSeen: EpochMillis;
}

/** Notes which domains send content in clear, for the operator to talk to theirs; disposing writes what is left. */
export interface ClearSenders extends AsyncDisposable {
  readonly note: (domain: string, software: SenderSoftware) => void;
}

export interface ClearSendersOptions {
  readonly redis: Redis;
  readonly region: Region;
  readonly clock: Clock;
}

/** Domains are an open set: the list holds the newest. */
const MOST = 200;
const KEEP = hours(7 * 24);
const WRITE_EVERY = seconds(10);

/** The region's list is written every ten seconds at most; while Redis is away, later. */
export function openClearSenders({ redis, region, clock }: ClearSendersOptions): ClearSenders {
  const key = redisKeysOf(region).clearSenders;
  const stop = new AbortController();
  const noted = new Map<string, EpochMillis>();
  const writing = write();
  return {
    note: (domain, software) => {
      const member = `${domain} ${software}`;
      if (noted.size < MOST || noted.has(member)) noted.set(detached(member), clock.now());
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await writing;
    },
  };

  async function write(): Promise<void> {
    while (!stop.signal.aborted) {
      await clock.sleep(WRITE_EVERY, stop.signal);
      if (noted.size > 0)
        await writeAll().then(
          () => noted.clear(),
          () => undefined,
        );
    }
  }

  async function writeAll(): Promise<void> {
    const entries = [...noted].flatMap(([member, at]) => [at, member]);
    await redis
      .multi()
      .zadd(key, ...entries)
      .zremrangebyrank(key, 0, -1 - MOST)
      .zremrangebyscore(key, "-inf", clock.now() - KEEP)
      .pexpire(key, KEEP)
      .exec();
  }
}

/** The domains of the last week, the newest first; at most 200. Throws what Redis or the connection throws. */
export async function clearSendersSeen({
  redis,
  region,
}: Pick<ClearSendersOptions, "redis" | "region">): Promise<readonly ClearSender[]> {
  const stored = await redis.zrange(redisKeysOf(region).clearSenders, 0, "-1", "REV", "WITHSCORES");
  const seen: ClearSender[] = [];
  for (let at = 0; at + 1 < stored.length; at += 2) {
    const [name = "", software = ""] = stored[at]?.split(" ") ?? [];
    const domain = parseDomainName(name);
    const lastSeen = epochMillis(Number(stored[at + 1]));
    if (domain !== undefined && isSoftware(software)) seen.push({ domain, software, lastSeen });
  }
  return seen;
}

/** What the server of this domain seems to run, if it sent content in clear of late. Throws what Redis or the connection throws. */
export async function clearSoftwareOf(
  redis: Redis,
  region: Region,
  domain: string,
): Promise<SenderSoftware | undefined> {
  const members = SOFTWARE.map((software) => `${domain} ${software}`);
  const scores = await redis.zmscore(redisKeysOf(region).clearSenders, ...members);
  const times = scores.map((score) => Number(score ?? 0));
  const newest = Math.max(...times);
  return newest === 0 ? undefined : SOFTWARE[times.indexOf(newest)];
}

const SOFTWARE: readonly SenderSoftware[] = [
  "prosody",
  "ejabberd",
  "mongooseim",
  "openfire",
  "tigase",
  "other",
];

const isSoftware = (text: string): text is SenderSoftware => SOFTWARE.some((software) => software === text);
