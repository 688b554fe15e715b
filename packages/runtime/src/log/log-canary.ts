import { type CanaryEvent } from "@reveille/wakeup";

import { type EventLog } from "./event-log.ts";

/** Records of a canary: what went wrong, and, at `debug`, what went well. */
export const logCanary =
  ({ logger }: EventLog) =>
  ({ kind, ok, ...facts }: CanaryEvent): void => {
    if (ok) logger.debug({ event: kind, ...facts }, "canary was answered as it should be");
    else logger.warn({ event: kind, ...facts }, "canary was not answered as it should be");
  };
