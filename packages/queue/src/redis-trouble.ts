import { type Clock, failureReason, type Observe, seconds } from "@reveille/wakeup";
import { type Redis } from "ioredis";

import { type WrongServer } from "./wrong-server.ts";

export interface TroubleOptions {
  readonly connection: string;
  readonly clock: Pick<Clock, "sleep">;
  readonly observe: Observe;
  readonly wrong: WrongServer;
}

/** A wrong server takes connections as the right one does: it shows at the first command. */
const PROVES_RIGHT_AFTER = seconds(2);

/** Tells when a connection is lost and when it is back, once each. */
export function tellTrouble(redis: Redis, { connection, clock, observe, wrong }: TroubleOptions): void {
  let troubled = false;
  let turns = 0;
  const trouble = (because: string): void => {
    if (troubled) return;
    troubled = true;
    observe({ kind: "redis-trouble", connection, because });
  };
  redis.on("error", (error) => trouble(failureReason(error)));
  redis.on("reconnecting", () => trouble(wrong.answer() ?? "connection lost"));
  redis.on("ready", () => void recovered());

  /** A wrong server may have been met by another connection meanwhile, which this one does not hear of. */
  async function recovered(): Promise<void> {
    const turn = (turns += 1);
    if (!troubled) return;
    while (wrong.answer() !== undefined) {
      wrong.forget();
      await clock.sleep(PROVES_RIGHT_AFTER);
      if (redis.status !== "ready" || turn !== turns) return;
    }
    if (!troubled) return;
    troubled = false;
    observe({ kind: "redis-recovered", connection });
  }
}
