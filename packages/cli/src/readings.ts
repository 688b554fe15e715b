import { type Trailing } from "@reveille/admission";
import { readRedisFacts, type WakeupQueue } from "@reveille/queue";

import { type RoleContext } from "./role.ts";

/** Has the region's backlogs and its Redis read whenever metrics are asked for. */
export function addReadings(
  { metrics, redis }: Pick<RoleContext, "metrics" | "redis">,
  queue: WakeupQueue,
  { backlog }: Trailing,
): void {
  metrics.addReading(async () => {
    const facts = await readRedisFacts(redis);
    return facts === undefined ? [] : [{ kind: "redis", ...facts }];
  });
  metrics.addReading(async () => {
    const { waiting, active, retrying, delayed, oldestWaiting } = await queue.counts();
    return [{ kind: "queue", waiting, active, delayed: delayed + retrying, oldest: oldestWaiting }];
  });
  metrics.addReading(async () => [{ kind: "trailing", devices: (await backlog()).waiting }]);
}
