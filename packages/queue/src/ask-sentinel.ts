import { type Clock, type Millis, networkTrouble } from "@reveille/wakeup";
import { Redis } from "ioredis";

import { disconnect } from "./disconnect.ts";
import { type NamedPrimary, pairsOf, primaryIn } from "./named-primary.ts";
import { type RedisSentinels, type SentinelAddress, sentinelOptions } from "./redis-settings.ts";

/** What one Sentinel says about the primary it watches. */
export type SentinelView =
  | {
      readonly kind: "watching";
      readonly primary: NamedPrimary;
      /** Other Sentinels it knows of. */
      readonly others: number;
      readonly quorum: number;
      /** Its own judgement whether a failover could be agreed upon (`SENTINEL CKQUORUM`). */
      readonly canFailOver: boolean;
    }
  /** `because` is from a closed list, and says what to do. */
  | { readonly kind: "useless"; readonly because: string };

/** Asks one Sentinel about the primary; settles within `within` and never rejects. */
export async function askSentinel(
  settings: Pick<RedisSentinels, "name" | "sentinelLogin">,
  address: SentinelAddress,
  { clock, within }: { readonly clock: Clock; readonly within: Millis },
): Promise<SentinelView> {
  const sentinel = new Redis({
    ...sentinelOptions(settings, address),
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    replyMapping: "legacy",
  });
  let heard = "";
  sentinel.on("error", (error) => (heard = wordsOf(error)));
  const done = new AbortController();
  const late = clock.sleep(within, done.signal).then((): never => {
    throw new SilentError();
  });
  try {
    return await Promise.race([viewOf(sentinel, settings.name), late]);
  } catch (error) {
    return { kind: "useless", because: heard === "" ? wordsOf(error) : heard };
  } finally {
    done.abort();
    late.catch(() => undefined);
    disconnect(sentinel);
  }
}

class SilentError extends Error {}

/** What Sentinel itself says may repeat the command, so only the kind of its error gets through. */
function wordsOf(error: unknown): string {
  if (error instanceof SilentError) return "no answer in time: see whether it runs or hangs";
  if (!(error instanceof Error) || error.name !== "ReplyError") return networkTrouble(error);
  const [kind] = /^[A-Z]+(?= )/.exec(error.message) ?? [];
  if (kind === "NOAUTH" || kind === "WRONGPASS") return `it wants another password (${kind})`;
  if (kind === "NOPERM") return "its user may not ask: allow it SENTINEL MASTER and CKQUORUM (NOPERM)";
  if (!error.message.includes("No such master")) return "it refuses the question: look into its log";
  return "it watches no primary of that name: compare the name with its sentinel.conf";
}

async function viewOf(sentinel: Redis, name: string): Promise<SentinelView> {
  await sentinel.connect();
  const answer = await sentinel.call("SENTINEL", "MASTER", name);
  const fields = pairsOf(answer);
  const quorate = await sentinel.call("SENTINEL", "CKQUORUM", name).then(
    () => true,
    () => false,
  );
  return {
    kind: "watching",
    primary: primaryIn(answer),
    others: Number(fields.get("num-other-sentinels")),
    quorum: Number(fields.get("quorum")),
    canFailOver: quorate,
  };
}
