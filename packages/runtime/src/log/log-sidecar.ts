import { type SidecarEvent } from "@reveille/wakeup";

import { type EventLog } from "./event-log.ts";

/** Records of what the sidecar sees on its host. */
export const logSidecar =
  ({ logger }: EventLog) =>
  (event: SidecarEvent): void => {
    switch (event.kind) {
      case "role-process-changed": {
        // `role` and `pid` of a record are those of the process that writes it.
        const { kind, role, pid, state, because } = event;
        const level = state === "silent" ? "warn" : "info";
        logger[level](
          { event: kind, of: role, process: pid, state, because },
          "process of a role changed its state",
        );
        return;
      }
      case "part-health-changed": {
        const { kind, role, pid, part, health } = event;
        const level = health.kind === "failing" ? "warn" : "info";
        logger[level]({ event: kind, of: role, process: pid, part, health }, "part changed its state");
        return;
      }
      case "readiness-changed": {
        const { kind, ready, reasons } = event;
        if (ready) logger.info({ event: kind, ready }, "host is ready");
        else logger.error({ event: kind, ready, reasons }, "host is not ready");
        return;
      }
      case "front-certificate-seen": {
        const { kind, front, expiresAt, because } = event;
        if (because === undefined)
          logger.debug({ event: kind, front, expiresAt }, "front shows its certificate");
        else logger.warn({ event: kind, front, because }, "front shows no certificate for us");
        return;
      }
    }
  };
