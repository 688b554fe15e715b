import { type IngressEvent } from "@reveille/wakeup";

import { type EventLog } from "./event-log.ts";

/** Records of the ingress. */
export const logIngress =
  ({ logger, verbose, told, sparingly }: EventLog) =>
  (event: IngressEvent): void => {
    switch (event.kind) {
      case "wakeup-admitted": {
        const { kind, wakeup, verdict } = event;
        if (verbose()) logger.debug({ event: kind, wakeup: told(wakeup), verdict }, "wakeup admitted");
        return;
      }
      case "publish-answered": {
        if (!verbose()) return;
        const { kind, result, reply, took, wakeup } = event;
        const about = wakeup === undefined ? {} : { wakeup: told(wakeup) };
        logger.debug({ event: kind, ...about, result, reply, took }, "publish answered");
        return;
      }
      case "query-answered":
        if (verbose()) logger.debug({ event: event.kind, query: event.query }, "query answered");
        return;
      case "oversized-stanza-skipped":
        if (verbose()) {
          logger.debug({ event: event.kind, isAnswered: event.isAnswered }, "oversized stanza skipped");
        }
        return;
      case "dead-device-remembered":
        if (verbose()) logger.debug({ event: event.kind }, "dead device remembered");
        return;
      case "reply-probed":
        if (verbose()) logger.debug({ event: event.kind, isReached: event.isReached }, "reply probed");
        return;
      case "stanza-ignored":
        if (verbose()) logger.debug({ event: event.kind, stanza: event.stanza }, "stanza ignored");
        return;
      case "flush-settled": {
        const { kind, wakeups, took, ok } = event;
        if (ok && verbose()) logger.debug({ event: kind, wakeups, took }, "flush settled");
        if (!ok) sparingly(kind, (held) => logger.warn({ event: kind, wakeups, took, held }, "flush failed"));
        return;
      }
      case "component-state-changed": {
        const { kind, ...fields } = event;
        const level = event.state === "down" ? "warn" : "info";
        logger[level]({ event: kind, ...fields }, "component changed its state");
        return;
      }
      case "clear-content-seen":
        // Whose users they are is not for a log.
        if (verbose()) logger.debug({ event: event.kind, software: event.software }, "content came in clear");
        return;
      case "registration-guard-changed": {
        const { kind, ...fields } = event;
        // Which domain is not for a log; a domain alone may be one that invents devices.
        const level = event.state === "off" ? "info" : event.scope === "module" ? "error" : "warn";
        sparingly(`${kind} ${event.scope}`, (held) =>
          logger[level]({ event: kind, ...fields, held }, "guard of registrations changed its state"),
        );
        return;
      }
      case "self-ping-settled": {
        const { kind, component, took, ok } = event;
        if (ok) logger.debug({ event: kind, component, took }, "self-ping came back");
        else logger.warn({ event: kind, component, took }, "self-ping through the front failed");
        return;
      }
    }
  };
