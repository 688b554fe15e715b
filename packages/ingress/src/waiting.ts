import { type Millis, type Wakeup } from "@reveille/wakeup";

import { type IqAddress } from "./reply.ts";

/** Where a reply leaves. */
export interface ReplyPath {
  readonly send: (xml: string) => void;
}

/** A publish whose sender waits for the reply. */
export interface Waiting {
  readonly wakeup: Wakeup;
  /** Domain of the sender, for limits only. */
  readonly sender: string;
  readonly address: IqAddress;
  readonly path: ReplyPath;
  /** When it was read, by the monotonic clock. */
  readonly since: Millis;
  /** Rough size in memory, in bytes. */
  readonly size: number;
}
