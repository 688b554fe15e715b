import { type Clock, type Millis, networkTrouble } from "@reveille/wakeup";
import { Redis } from "ioredis";

import { disconnect } from "./disconnect.ts";
import { type SentinelAddress } from "./redis-settings.ts";

/** What one Sentinel says about the primary it watches. */
export type SentinelView =
  | {
      readonly kind: "watching";
      /** `host:port` of the primary. */
      readonly primary: string;
      /** Other Sentinels it knows of. */
      readonly others: number;
      readonly quorum: number;
      /** Its own judgement whether a failover could be agreed upon (`SENTINEL CKQUORUM`). */
      readonly canFailOver: boolean;
    }
  /** `because` is from a closed list, and says what to do. */
  | { readonly kind: "useless"; readonly because: string };

/** Asks one Sentinel about the primary called `name`; settles within `within` and never rejects. */
export async function askSentinel(
  address: SentinelAddress,
  name: string,
  { clock, within }: { readonly clock: Clock; readonly within: Millis },
): Promise<SentinelView> {
  const sentinel = new Redis({
    ...address,
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  let heard = "";
  sentinel.on("error", (error) => (heard = wordsOf(error)));
  const done = new AbortController();
  const late = clock.sleep(within, done.signal).then((): never => {
    throw new SilentError();
  });
  try {
    return await Promise.race([viewOf(sentinel, name), late]);
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
  const fields = pairsOf(await sentinel.call("SENTINEL", "MASTER", name));
  const quorate = await sentinel.call("SENTINEL", "CKQUORUM", name).then(
    () => true,
    () => false,
  );
  return {
    kind: "watching",
    primary: `${fields.get("ip")}:${fields.get("port")}`,
    others: Number(fields.get("num-other-sentinels")),
    quorum: Number(fields.get("quorum")),
    canFailOver: quorate,
  };
}

/** Sentinel answers with names and values in turn. */
function pairsOf(answer: unknown): ReadonlyMap<string, string> {
  const flat: readonly unknown[] = Array.isArray(answer) ? answer : [];
  const pairs = new Map<string, string>();
  for (let at = 0; at + 1 < flat.length; at += 2) pairs.set(String(flat[at]), String(flat[at + 1]));
  return pairs;
}
