export { parseHttpDate, systemClock } from "./clock.ts";
export { type CanaryConfig } from "./config/canary-config.ts";
export { type CanaryFile, type Config } from "./config/config.ts";
export { describeCanaryFile, describeConfig } from "./config/describe-config.ts";
export { formatDuration, parseDuration } from "./config/duration.ts";
export { type Address } from "./config/leaves.ts";
export { ConfigError, formatMistakes, type Mistake } from "./config/mistake.ts";
export { type ApnsConfig, type ApnsCredential, type ModuleConfig } from "./config/module-config.ts";
export {
  allKeys,
  type FurtherRules,
  type Machine,
  parseCanaryFile,
  parseConfig,
  parseMachine,
} from "./config/parse-config.ts";
export { allPlanKeys, parseModules, parsePlan } from "./config/parse-plan.ts";
export {
  describeModules,
  describePlan,
  isInsideAddress,
  type ModulesFile,
  type Plan,
} from "./config/plan.ts";
export { formatRate, parseRate } from "./config/rate.ts";
export {
  type ConfigChange,
  machineChanges,
  reconfigure,
  type Reconfiguration,
} from "./config/reconfigure.ts";
export { readSecret, type Secret } from "./config/read-secret.ts";
export { type RedisConfig, type RedisTlsConfig } from "./config/redis-config.ts";
export { createLogger, type Logger, type LoggerOptions } from "./log/create-logger.ts";
export { asErrors, isJournal } from "./log/journal.ts";
export { recordLibraryLines } from "./log/library-lines.ts";
export { logEvents, type LogEventsOptions } from "./log/log-events.ts";
export { type WakeupRecord } from "./log/log-wakeup.ts";
export {
  createMetrics,
  type MetricDescription,
  type Metrics,
  type MetricsOptions,
} from "./metrics/create-metrics.ts";
export { mergeFamilies } from "./metrics/merge-families.ts";
export { type Reading } from "./metrics/reading.ts";
export { type ReadFacts } from "./metrics/readings.ts";
export { METRICS_CONTENT_TYPES, type MetricsFormat, renderMetrics } from "./metrics/render-metrics.ts";
export {
  askRole,
  type AskedRole,
  askRoles,
  listRoles,
  type Question,
  type RoleAnswer,
  type RoleSocket,
} from "./report/ask-roles.ts";
export { type ReportOptions, type ReportServer, serveReload, serveReport } from "./report/serve-report.ts";
export { runUntil, type Start, type StartContext } from "./run-until.ts";
export { type StopOptions, type StoppableProcess, stopSignal } from "./stop-signal.ts";
export { type SystemdOptions, tellSystemd } from "./tell-systemd.ts";
