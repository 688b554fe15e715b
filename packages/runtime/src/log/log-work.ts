import { type QueueEvent } from "@reveille/wakeup";

import { type WorkEvent } from "../by-stage.ts";
import { type EventLog } from "./event-log.ts";

type EventOf<Kind extends QueueEvent["kind"]> = Extract<QueueEvent, { kind: Kind }>;

/** Records of a worker's work on the queue. */
export const logWork =
  (log: EventLog) =>
  (event: WorkEvent): void => {
    const { logger, verbose, sparingly } = log;
    switch (event.kind) {
      case "batch-taken":
      case "batch-settled":
      case "trailing-pumped": {
        if (!verbose()) return;
        const { kind, ...fields } = event;
        logger.debug({ event: kind, ...fields }, "batch worked on");
        return;
      }
      case "delivery-settled":
        logDelivery(log, event);
        return;
      case "wakeup-dropped":
        logDrop(log, event);
        return;
      case "trailing-broken":
        logger.error({ event: event.kind, members: event.members }, "unreadable trailing pushes dropped");
        return;
      case "batch-failed":
        sparingly(event.kind, (held) =>
          logger.error(
            { event: event.kind, because: event.because, held },
            "batch failed, it is tried again",
          ),
        );
        return;
      case "consumer-restarted":
        logger.warn({ event: event.kind, stuckFor: event.stuckFor }, "consumer of the queue restarted");
        return;
      case "batch-broken":
        logger.error(
          { event: event.kind, wakeups: event.wakeups },
          "unreadable batch, or part of one, dropped",
        );
        return;
      case "batch-newer":
        sparingly(event.kind, (held) =>
          logger.warn(
            { event: event.kind, held },
            "batch of a newer version left to workers of that version",
          ),
        );
        return;
    }
  };

function logDelivery(
  { logger, verbose, told, sparingly }: EventLog,
  event: EventOf<"delivery-settled">,
): void {
  const { kind, wakeup, outcome, next, age, took } = event;
  if (verbose()) {
    logger.debug({ event: kind, wakeup: told(wakeup), outcome, next, age, took }, "delivery settled");
  }
  if (outcome.kind !== "rejected") return;
  const { reason, blame } = outcome;
  sparingly(`${kind} ${blame} ${wakeup.module}`, (held) =>
    logger.warn({ event: kind, module: wakeup.module, reason, blame, held }, "push service rejects wakeups"),
  );
}

function logDrop({ logger, verbose, told, sparingly }: EventLog, event: EventOf<"wakeup-dropped">): void {
  const { kind, wakeup, because } = event;
  if (verbose()) logger.debug({ event: kind, wakeup: told(wakeup), because }, "wakeup dropped");
  if (because === "covered") return;
  sparingly(`${kind} ${because} ${wakeup.module}`, (held) =>
    logger.warn({ event: kind, module: wakeup.module, because, held }, "wakeups dropped unsent"),
  );
}
