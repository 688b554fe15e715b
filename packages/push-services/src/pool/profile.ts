import { type EpochMillis } from "@reveille/wakeup";

import { type WireResult } from "../http2/wire.ts";
import { type Judgement } from "./judgement.ts";

/** In what the push services differ that a pool can push to. */
export interface Profile {
  /** Every fate of a request has a judgement. `id` is the wakeup's own. */
  readonly judge: (result: WireResult, id: string, now: EpochMillis) => Judgement;
  /** What the debug data of a GOAWAY says. */
  readonly readGoaway: (detail: string) => Goodbye;
  /** One push at a time on a new connection until the credential is accepted, whatever the stream limit. */
  readonly provesFirst: boolean;
  /** Asks idle connections by ping whether they live. */
  readonly pingsIdle: boolean;
}

export interface Goodbye {
  /** Fit for logs. */
  readonly reason: string;
  /** It refuses our credential, and so the pushes that were under way. */
  readonly refused: boolean;
}

/** How one connection shows who we are, if its TLS certificate does not. */
export interface Hold {
  /** Value of the `authorization` header of the next push. */
  readonly bearer: () => string;
  /** The connection should be replaced by one that starts anew. */
  readonly tooOld: boolean;
}
