import { type ErrorCode } from "../error-code.ts";

/** A connection that is to end. */
export interface Goaway {
  /** Only this connection; all if left out. */
  readonly connection?: number;
  /** Default NO_ERROR. */
  readonly code?: ErrorCode;
  /** Goes as `{"reason": …}` into the frame's debug data, as Apple does. */
  readonly reason?: string;
  /** Streams above are cut off unprocessed. Default: the newest one, so all in flight are answered. */
  readonly lastStreamId?: number;
  /** Instead of `lastStreamId`: the oldest so many streams in flight are answered, the others cut off. */
  readonly keep?: number;
  /** Two frames: first with the highest id there is (RFC 9113 §6.8), then the one that counts. */
  readonly double?: boolean;
  /** `answered` (default): the connection ends when the last push is answered; `never`: it stays. */
  readonly close?: "answered" | "never";
}
