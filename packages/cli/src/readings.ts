import { type Trailing } from "@reveille/admission";
import { type WakeupQueue } from "@reveille/queue";
import { type Metrics } from "@reveille/runtime";

/** Has the region's backlogs read whenever metrics are asked for. */
export function addReadings(metrics: Metrics, queue: WakeupQueue, { backlog }: Trailing): void {
  metrics.addReading(async () => {
    const { waiting, active, retrying, delayed, oldestWaiting } = await queue.counts();
    return [{ kind: "queue", waiting, active, delayed: delayed + retrying, oldest: oldestWaiting }];
  });
  metrics.addReading(async () => [{ kind: "trailing", devices: (await backlog()).waiting }]);
}
