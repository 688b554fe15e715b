export { type Listen, type Sidecar, type SidecarOptions, startSidecar } from "./start-sidecar.ts";
export { type MetricsFormat } from "./metrics-format.ts";
export { type ModuleStatus } from "./status/module-status.ts";
export { isOutOfReach } from "./status/replies-reach.ts";
export { type RoleStatus, type Status } from "./status/status.ts";
export { type MetricsPort } from "./watch-host.ts";
