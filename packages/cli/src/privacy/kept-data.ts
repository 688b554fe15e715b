import { type Config, formatDuration } from "@reveille/runtime";
import { type Millis, millis } from "@reveille/wakeup";

/** One thing that is known of somebody, and for how long. */
export interface KeptData {
  readonly what: string;
  readonly where: string;
  readonly kept: string;
}

/** What this configuration has the region keep, most sensitive first. Held against docs/privacy.md. */
export function keptData(config: Config): readonly KeptData[] {
  const modules = [...config.modules.values()];
  const windows = modules.map(({ window }) => window ?? config.admission.window);
  const deadlines = modules.map(({ deadline }) => deadline);
  const pushServices = pushServicesOf(config);
  return [
    { what: "text and sender of a message", where: "nowhere", kept: "dropped while it is read" },
    {
      what: "address of the server that publishes",
      where: "memory of the ingress",
      kept: "until the reply is sent, 45s at most",
    },
    {
      what: "names of the domains that published last, and whether our replies reach them",
      where: "memory of the ingress",
      kept: "until others take their places, 4096 at most",
    },
    {
      what: "results of publishes by sending domain, counts only",
      where: "memory of the ingress",
      kept: "1h, of 4096 domains at most",
    },
    {
      what: "results of publishes by sending domain, under a keyed hash of it, counts only, in slices of 5min",
      where: "Redis",
      kept: "1h after its last publish, of 8192 domains at most",
    },
    {
      what: "device token, module, urgency, time of a wakeup",
      where: "Redis, queue",
      kept: `until ${pushServices.join(" or ")} has answered, ${longest(deadlines)} at most after it came`,
    },
    {
      what: "device token, module, urgency of a push that leaves later",
      where: "Redis, trailing",
      kept: `${longest(windows)} at most, then in the queue`,
    },
    {
      what: "device token of a wakeup that is done",
      where: "append-only files of Redis and its replicas",
      kept: `until they are rewritten, every ${formatDuration(config.redis.rewriteEvery)}; for longer where Redis refuses that`,
    },
    {
      what: "when a device that has had a push was woken last, under a keyed hash",
      where: "Redis",
      kept: `${formatDuration(config.admission.rememberDevices)} after its last push`,
    },
    {
      what: "when a device that has never had a push was tried, under a keyed hash",
      where: "Redis",
      kept: `${longest(windows.map((window) => millis(window * 2)))} at most; longer if ${pushServices.join(" or ")} throttles it`,
    },
    {
      what: "which budget paid for the first push to a device: a keyed hash of the domain under a keyed hash of the device",
      where: "Redis",
      kept: "until the outcome of that push, 1h at most",
    },
    {
      what: "when a device was woken during a backlog, under a keyed hash",
      where: "Redis",
      kept: `${longest(deadlines)}, of ${config.admission.mostBacklogDevices} devices at most`,
    },
    {
      what: "how much of its budget for new devices a sending domain has used, under a keyed hash",
      where: "Redis",
      kept: "until all of it is free again",
    },
    {
      what: "that a device is gone, under a keyed hash",
      where: "Redis",
      kept: `${formatDuration(config.admission.forgetDeadAfter)}, of ${config.admission.mostDeadDevices} devices at most`,
    },
    {
      what: "how much of its limit a sending domain has used, under a keyed hash",
      where: "Redis",
      kept: "until all of it is free again; only domains with a limit",
    },
    {
      what: "domains whose servers send content in clear, when last, what they seem to run",
      where: "Redis",
      kept: "7d, of 200 domains at most",
    },
    { what: "fingerprints of devices", where: "log", kept: logOf(config) },
    {
      what: "device token and a payload that is the same for everybody",
      where: pushServices.join(", "),
      kept: `${longest(modules.map(({ expireAfter }) => expireAfter))} at most, for a device that is offline`,
    },
  ];
}

/** Whose push services the modules are of. */
function pushServicesOf({ modules }: Config): readonly string[] {
  const isThere = (kind: "apns" | "fcm"): boolean =>
    [...modules.values()].some((module) => module[kind] !== undefined);
  return [...(isThere("apns") ? ["Apple"] : []), ...(isThere("fcm") ? ["Google"] : [])];
}

const longest = (durations: readonly Millis[]): string => formatDuration(millis(Math.max(0, ...durations)));

const logOf = ({ log }: Config): string =>
  log.level === "debug"
    ? "written: log.level is debug; as long as this machine keeps its logs"
    : `not written: log.level is ${log.level}`;
