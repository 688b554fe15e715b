import { type PushServiceEvent } from "@reveille/wakeup";

import { type EventLog } from "./event-log.ts";

/** Records of the connections to push services. */
export const logPushService =
  ({ logger }: EventLog) =>
  (event: PushServiceEvent): void => {
    const { kind, ...fields } = event;
    switch (event.kind) {
      case "connection-state-changed": {
        // Not `from` and `to`, which the log's second fence takes for addresses.
        const { pool, from: was, to: state, because } = event;
        logger.info(
          { event: kind, pool, was, state, because },
          "connection to push service changed its state",
        );
        return;
      }
      case "goaway-received":
        logger.info({ event: kind, ...fields }, "push service closes a connection");
        return;
      case "stream-limit-changed":
        logger.info({ event: kind, ...fields }, "push service changed its stream limit");
        return;
      case "provider-token-rotated":
        logger.info({ event: kind, ...fields }, "provider token rotated");
        return;
      case "endpoint-rest-changed": {
        const level = event.state === "open" ? "warn" : "info";
        logger[level]({ event: kind, ...fields }, "rest of a push service's endpoint changed its state");
        return;
      }
      case "credential-changed": {
        const level = event.state === "refused" ? "error" : "info";
        logger[level]({ event: kind, ...fields }, "credential changed");
        return;
      }
      case "credential-exposed":
        logger.warn({ event: kind, ...fields }, "secret file is readable by every user; chmod 600 mends it");
        return;
      case "token-guard-changed": {
        const level = event.state === "on" ? "error" : "info";
        logger[level](
          { event: kind, ...fields },
          "guard against declaring good tokens dead changed its state",
        );
        return;
      }
      case "breaker-changed":
        logger[event.state === "open" ? "error" : "info"](
          { event: kind, ...fields },
          "breaker changed its state",
        );
        return;
    }
  };
