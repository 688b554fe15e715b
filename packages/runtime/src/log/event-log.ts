import { type Wakeup } from "@reveille/wakeup";

import { type Logger } from "./create-logger.ts";
import { type WakeupRecord } from "./log-wakeup.ts";

/** What turns events of a stage into records. */
export interface EventLog {
  readonly logger: Logger;
  /** Whether records of single wakeups are wanted; if not, not even their fields are built. */
  readonly verbose: () => boolean;
  readonly told: (wakeup: Wakeup) => WakeupRecord;
  /** Says a trouble at most every 10 s, with the number of times it was held back. */
  readonly sparingly: (topic: string, say: (held: number) => void) => void;
}
