import { type Wakeup } from "@reveille/wakeup";

import { type PendingReply } from "./answer.ts";

/** A publish whose sender waits for the reply. */
export interface PendingPublish extends PendingReply {
  readonly wakeup: Wakeup;
  /** Domain of the sender, for limits only. */
  readonly sender: string;
  /** The name under which that domain counts together with others. */
  readonly payer: string;
  /** Rough size in memory, in bytes. */
  readonly size: number;
}
