import { type SidecarEvent } from "@reveille/wakeup";

import { type EventLog } from "./event-log.ts";

/** Records of what the sidecar sees on its host. */
export const logSidecar =
  ({ logger }: EventLog) =>
  (event: SidecarEvent): void => {
    switch (event.kind) {
      case "role-process-changed": {
        const { kind, pid, ...fields } = event;
        const level = event.state === "silent" ? "warn" : "info";
        logger[level]({ event: kind, process: pid, ...fields }, "process of a role changed its state");
        return;
      }
      case "readiness-changed": {
        const { kind, ready, reasons } = event;
        if (ready) logger.info({ event: kind, ready }, "host is ready");
        else logger.error({ event: kind, ready, reasons }, "host is not ready");
        return;
      }
    }
  };
