import { type Clock, seconds } from "@reveille/wakeup";
import { Redis } from "ioredis";

import { mostAgreeing, type NamedPrimary, primaryIn } from "./named-primary.ts";
import { type RedisSentinels, type SentinelAddress, sentinelOptions } from "./redis-settings.ts";

/** How many of the configured Sentinels this process can talk to, and whether they agree. */
export interface SentinelSight {
  readonly configured: number;
  /** Those that name the same primary as most others do. */
  readonly agreeing: number;
}

/** Looks at the Sentinels from this host. Disposing closes its connections. */
export interface SentinelWatch extends AsyncDisposable {
  /** From memory. */
  readonly sight: () => SentinelSight;
  /** Asks them now, for half a second at most: does a majority of all answer, and name the same primary? */
  readonly agree: () => Promise<boolean>;
}

const EVERY = seconds(1);

/**
 * Asks each Sentinel for the primary, once and then every second. A host that sees no majority may be writing to a
 * primary that has been deposed, and what it accepts is lost.
 */
export async function watchSentinels(settings: RedisSentinels, clock: Clock): Promise<SentinelWatch> {
  const connections = settings.sentinels.map((address) => connect(settings, address));
  const stop = new AbortController();
  let agreeing = 0;
  await look();
  const watching = watch();

  return {
    sight,
    agree: async () => {
      await look();
      return isMajority(sight());
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await watching;
      for (const connection of connections) connection.disconnect();
    },
  };

  function sight(): SentinelSight {
    return { configured: connections.length, agreeing };
  }

  async function watch(): Promise<void> {
    for (;;) {
      await clock.sleep(EVERY, stop.signal);
      if (stop.signal.aborted) return;
      await look();
    }
  }

  async function look(): Promise<void> {
    const answers = await Promise.all(connections.map((sentinel) => primaryOf(sentinel, settings.name)));
    agreeing = mostAgreeing(answers.filter((answer) => answer !== undefined));
  }
}

/** True if a majority of all Sentinels is in sight. */
export const isMajority = ({ configured, agreeing }: SentinelSight): boolean => agreeing * 2 > configured;

function connect(settings: RedisSentinels, address: SentinelAddress): Redis {
  const sentinel = new Redis({
    ...sentinelOptions(settings, address),
    connectTimeout: 1_000,
    commandTimeout: 500,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 500,
    replyMapping: "legacy",
    // Sentinels know no INFO as a server does.
    enableReadyCheck: false,
  });
  // Its absence is what we are here to see.
  sentinel.on("error", () => undefined);
  return sentinel;
}

/**
 * `undefined` if it knows none or does not answer. In a failover the address is already that of the new primary while
 * `SENTINEL MASTER`, which has the run id, still describes the old one.
 */
async function primaryOf(sentinel: Redis, name: string): Promise<NamedPrimary | undefined> {
  try {
    const [named, described] = await Promise.all([
      sentinel.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name),
      sentinel.call("SENTINEL", "MASTER", name).catch(() => []),
    ]);
    if (!Array.isArray(named)) return undefined;
    const address = named.join(":");
    const primary = primaryIn(described);
    return primary.address === address ? primary : { address, runId: undefined };
  } catch {
    return undefined;
  }
}
