import { type EpochMillis, type Health } from "@reveille/wakeup";

import { type Push } from "./passage.ts";

/** The way to a push service with one credential, whose files may change meanwhile. */
export interface PushRoute extends AsyncDisposable {
  readonly freeSlots: number;
  readonly health: Health;
  /** When the credential in use expires, if it does. */
  readonly expiresAt: EpochMillis | undefined;
  /** A new credential is there, and the next push will show what it is worth. */
  readonly awaitsProof: boolean;
  /** Settles the push; never throws. */
  send(push: Push): void;
  /** Looks whether the files have changed. Never rejects: what cannot be used is told, and not used. */
  reload(): Promise<void>;
}
