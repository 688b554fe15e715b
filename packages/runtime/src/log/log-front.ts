import { type FrontEvent } from "@reveille/wakeup";

import { type EventLog } from "./event-log.ts";

/** Records of the front: domains and counts, nothing of a stanza. */
export const logFront =
  ({ logger, sparingly }: EventLog) =>
  (event: FrontEvent): void => {
    switch (event.kind) {
      case "peer-proven": {
        const { kind, ...facts } = event;
        logger.debug({ event: kind, ...facts }, "a domain is proven");
        return;
      }
      case "peer-stream-ended": {
        const { kind, ...facts } = event;
        logger.debug({ event: kind, ...facts }, "a server's stream has ended");
        return;
      }
      case "peer-unreachable": {
        const { kind, ...facts } = event;
        sparingly(kind, (suppressed) =>
          logger.info({ event: kind, ...facts, suppressed }, "a server cannot be reached for replies"),
        );
        return;
      }
      case "limit-reached": {
        const { kind, limit } = event;
        sparingly(`${kind} ${limit}`, (suppressed) =>
          logger.warn({ event: kind, limit, suppressed }, "a limit of the front was reached"),
        );
        return;
      }
      case "component-changed": {
        const { kind, hostname, state, because } = event;
        const level = state === "active" ? "info" : "warn";
        logger[level]({ event: kind, hostname, state, because }, "a component has connected or is gone");
        return;
      }
      case "listening-changed": {
        const { kind, state, because } = event;
        logger.info({ event: kind, state, because }, "the front changed whether it accepts streams");
        return;
      }
    }
  };
