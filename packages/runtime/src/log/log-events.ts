import { type Clock, type Observe, type SecretSource, seconds } from "@reveille/wakeup";

import { byStage } from "../by-stage.ts";
import { type Logger } from "./create-logger.ts";
import { type EventLog } from "./event-log.ts";
import { logCanary } from "./log-canary.ts";
import { logFront } from "./log-front.ts";
import { logIngress } from "./log-ingress.ts";
import { logPushService } from "./log-push-service.ts";
import { logRedis } from "./log-redis.ts";
import { wakeupRecord } from "./log-wakeup.ts";
import { logSidecar } from "./log-sidecar.ts";
import { logWork } from "./log-work.ts";
import { sparing } from "./sparing.ts";

export interface LogEventsOptions {
  readonly logger: Logger;
  /** Makes the fingerprints; without it (a sidecar) records have none. */
  readonly secret?: SecretSource;
  readonly clock: Pick<Clock, "monotonic">;
}

/**
 * Events as log records: per wakeup at `debug`, changes of state at `info`, trouble at `warn`, what should
 * page a person at `error`.
 */
export function logEvents({ logger, secret, clock }: LogEventsOptions): Observe {
  const log: EventLog = {
    logger,
    verbose: () => logger.isLevelEnabled("debug"),
    told: (wakeup) => wakeupRecord(secret, wakeup),
    sparingly: sparing(clock, seconds(10)),
  };
  return byStage({
    front: logFront(log),
    ingress: logIngress(log),
    work: logWork(log),
    pushService: logPushService(log),
    sidecar: logSidecar(log),
    canary: logCanary(log),
    redis: logRedis(log),
  });
}
