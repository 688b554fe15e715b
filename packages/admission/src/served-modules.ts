import { type Clock, redisKeysOf, type Region, seconds, type TokenKind } from "@reveille/wakeup";
import { type Redis } from "ioredis";

/** A name under which publishes are served, `""` for those that name none, and the tokens of its devices. */
export interface ServedName {
  readonly name: string;
  readonly kind: TokenKind;
}

/**
 * What the region has ever served, by any of its ingresses: a reply that ends a registration is for names that nobody
 * configured, not for those that we have dropped, renamed, moved to another push service, or not configured here yet.
 */
export interface ServedModules extends AsyncDisposable {
  /** From memory. */
  readonly wasServed: (name: string, kind: TokenKind) => boolean;
  /** From now on these are served. Never throws: they are written when Redis takes them. */
  readonly serve: (names: readonly ServedName[]) => void;
}

export interface ServedModulesOptions {
  /** Stays the caller's. */
  readonly redis: Redis;
  readonly region: Region;
  readonly clock: Clock;
  readonly first: readonly ServedName[];
}

/** Another ingress may serve a module that this one is told of later. */
const LOOK_EVERY = seconds(5);

const fieldOf = ({ name, kind }: ServedName): string => `${kind} ${name}`;

/** Resolves once the names are written and those of the region read; throws what Redis throws. */
export async function openServedModules(options: ServedModulesOptions): Promise<ServedModules> {
  const { redis, region, clock } = options;
  const key = redisKeysOf(region).servedModules;
  const stop = new AbortController();
  let serving = options.first;
  // What was seen once stays known here, whatever becomes of Redis' data.
  const known = new Set<string>();
  await look();
  const looking = keepLooking();

  return {
    wasServed: (name, kind) => known.has(fieldOf({ name, kind })),
    serve: (names) => {
      serving = names;
      for (const each of names) known.add(fieldOf(each));
      void look().catch(() => undefined);
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await looking;
    },
  };

  /** Writes what is known here: a Redis that has lost its data, or never had it, has it again. */
  async function look(): Promise<void> {
    for (const each of serving) known.add(fieldOf(each));
    const stored: unknown = await redis.hkeys(key);
    if (!Array.isArray(stored)) throw new Error("Redis did not answer HKEYS with a list");
    const fields = new Set(stored.map(String));
    const missing = [...known].filter((field) => !fields.has(field));
    if (missing.length > 0) await redis.hset(key, ...missing.flatMap((field) => [field, "1"]));
    for (const field of fields) known.add(field);
  }

  async function keepLooking(): Promise<void> {
    for (;;) {
      await clock.sleep(LOOK_EVERY, stop.signal);
      if (stop.signal.aborted) return;
      // Whoever owns the connection tells of its troubles.
      await look().catch(() => undefined);
    }
  }
}
