import { type Wakeup } from "@reveille/wakeup";

import { type Answered } from "./answer.ts";

/** A publish whose sender waits for the reply. */
export interface Waiting extends Answered {
  readonly wakeup: Wakeup;
  /** Domain of the sender, for limits only. */
  readonly sender: string;
  /** The name under which that domain counts together with others. */
  readonly payer: string;
  /** Rough size in memory, in bytes. */
  readonly size: number;
}
