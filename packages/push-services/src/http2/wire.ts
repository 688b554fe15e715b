/**
 * One HTTP/2 connection as the pool needs it, and no more: another engine than `node:http2` can take its place
 * by implementing this. Nothing here throws, and no callback comes before the call that caused it has returned.
 */
export interface Wire {
  /** Sends a POST; its `settle` is called exactly once, before `closed`. */
  readonly request: (request: WireRequest) => WireStream;
  /** `heard` is told whether the other side has answered; on a dead connection it may never be called. */
  readonly ping: (heard: (answered: boolean) => void) => void;
  /** Ends the connection in good order. Only while no request is under way. */
  readonly close: () => void;
  /** Ends at once, also while still connecting. Requests under way are settled. */
  readonly destroy: (because: string) => void;
}

export interface WireRequest {
  readonly path: string;
  /** Names (lower case) and values in turn, the same for many requests: worth a place in HPACK's table. */
  readonly headers: readonly string[];
  /** Secret ones and those of this request only: never indexed (RFC 7541 §7.1.3). */
  readonly ownHeaders: readonly string[];
  readonly body: Buffer;
  readonly settle: (result: WireResult) => void;
}

export interface WireStream {
  /** Waits no longer: the request is settled with what has arrived until now. */
  readonly cancel: (because: string) => void;
}

export type WireResult =
  /** A status has arrived; the body as far as it came. */
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly body: string;
      readonly retryAfter: string | undefined;
    }
  /** Provably not processed: never sent, refused (RFC 9113 §8.7), or beyond the last stream of a GOAWAY. */
  | { readonly kind: "unprocessed"; readonly because: string }
  /** Sent, and nothing known of its fate. */
  | { readonly kind: "unanswered"; readonly because: string };

export interface WireEvents {
  /** The other side's SETTINGS, first and changed: how many requests may be under way at once. */
  readonly settings: (streamLimit: number) => void;
  /** No new requests from now on. `detail`: its debug data; Apple's is JSON with a `reason`. */
  readonly goaway: (detail: string) => void;
  /** The last event, exactly once. */
  readonly closed: (because: string) => void;
}

/** Starts connecting and returns at once. */
export type OpenWire = (events: WireEvents) => Wire;
