export { type MetricsPort, type Sidecar, type SidecarOptions, startSidecar } from "./start-sidecar.ts";
export { type MetricsFormat } from "./metrics-format.ts";
