import { type Clock, type Millis } from "@reveille/wakeup";
import { Redis } from "ioredis";

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
  /** `because` is what Sentinel or the network said. */
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
  sentinel.on("error", (error) => (heard = error.message));
  const done = new AbortController();
  const late = clock.sleep(within, done.signal).then((): never => {
    throw new Error("no answer in time");
  });
  try {
    return await Promise.race([viewOf(sentinel, name), late]);
  } catch (error) {
    return { kind: "useless", because: heard === "" ? String(error) : heard };
  } finally {
    done.abort();
    late.catch(() => undefined);
    sentinel.disconnect();
  }
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
