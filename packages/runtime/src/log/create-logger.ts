import { type Clock } from "@reveille/wakeup";
import { destination, type DestinationStream, type Logger, pino } from "pino";
import { prettyFactory } from "pino-pretty";

import { describeError } from "./describe-error.ts";
import { priorityOf } from "./journal.ts";

export { type Logger };

export interface LoggerOptions {
  readonly level: "error" | "warn" | "info" | "debug";
  /** Stand in every record. */
  readonly base: Readonly<Record<string, string | number>>;
  readonly clock: Pick<Clock, "now">;
  /** For people at a terminal: coloured lines instead of JSON. */
  readonly readable: boolean;
  /** The journal reads the lines: each begins with its priority, as `<4>`. Default: false. */
  readonly journal?: boolean;
  /** Default: standard output, written at once, so that nothing is missing after a crash. */
  readonly output?: DestinationStream;
}

/** Fields that no caller should have passed; the second fence after the serializers. */
const NEVER = ["token", "deviceToken", "node", "from", "to", "jid", "body", "secret", "password"];
/** The third fence: anything that looks like a device token (of APNs, or of FCM), wherever it stands in a record. */
const LOOKS_LIKE_TOKEN = /[0-9a-fA-F]{32,}|[\w-]+:APA91[\w-]*|[\w:-]{100,}/g;

/** One per process. Messages are constant texts; data goes into fields. */
export function createLogger(options: LoggerOptions): Logger {
  const { level, base, clock, readable, journal = false } = options;
  const output = options.output ?? destination({ dest: 1, sync: true });
  return pino(
    {
      level,
      base: { ...base },
      timestamp: () => `,"time":${clock.now()}`,
      // By name, as journald, Loki and people know it.
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
      redact: { paths: NEVER.flatMap((name) => [name, `*.${name}`]), censor: "[redacted]" },
      hooks: {
        streamWrite: (line) => {
          const clean = line.replace(LOOKS_LIKE_TOKEN, "[redacted]");
          return journal && !readable ? priorityOf(clean) + clean : clean;
        },
      },
    },
    readable ? forPeople(output) : output,
  );
}

/** pino-pretty in this process: its transport would write from a thread, after the process may have ended. */
function forPeople(output: DestinationStream): DestinationStream {
  const pretty = prettyFactory({ colorize: true, ignore: "pid,host" });
  return { write: (line) => output.write(pretty(line)) };
}
