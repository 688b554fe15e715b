import { deviceRecords, type Trailing, trailingStatus } from "@reveille/admission";
import { readRedisFacts, type WakeupQueue } from "@reveille/queue";
import { systemClock } from "@reveille/runtime";
import { millis } from "@reveille/wakeup";

import { type RoleContext } from "./role.ts";

/** Has the region's backlogs and its Redis read whenever metrics are asked for. */
export function addReadings(
  { config, metrics, redis }: Pick<RoleContext, "config" | "metrics" | "redis">,
  queue: WakeupQueue,
  { backlog }: Trailing,
): void {
  metrics.addReading(async () => {
    const facts = await readRedisFacts(redis);
    return facts === undefined ? [] : [{ kind: "redis", ...facts }];
  });
  metrics.addReading(async () => {
    const [counts, trailing] = await Promise.all([
      queue.counts(),
      trailingStatus({ redis, region: config.region }),
    ]);
    const { waiting, active, retrying, delayed } = counts;
    const oldest = millis(Math.max(counts.oldest, trailing.oldestDue));
    return [{ kind: "queue", waiting, active, delayed: delayed + retrying, oldest }];
  });
  metrics.addReading(async () => [{ kind: "trailing", devices: (await backlog()).waiting }]);
  const devices = deviceRecords({ redis, region: config.region, clock: systemClock });
  metrics.addReading(async () => [{ kind: "dead", devices: await devices.countDead() }]);
}
