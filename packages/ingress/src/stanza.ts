/** A publish as far as it concerns us; what stood below `<notification/>` is gone but for three facts. */
export interface PublishPayload {
  readonly kind: "publish";
  /** As sent; `undefined` if the attribute was missing. */
  readonly node: string | undefined;
  /** First value of `pushModule`; `undefined` if there was none. */
  readonly module: string | undefined;
  /** A body value, high priority, or a call: somebody is waiting. */
  readonly urgent: boolean;
  /** The sender's address or the text of a message was in it, readable for us. */
  readonly inClear: boolean;
}

export type QueryName = "disco-info" | "disco-items" | "ping" | "version" | "command" | "unsupported";

export interface QueryPayload {
  readonly kind: "query";
  readonly query: QueryName;
  /** The node asked for: of disco (XEP-0030 §3.2) or a command (XEP-0050). */
  readonly node: string | undefined;
  /** Of a command only. */
  readonly action: string | undefined;
}

/** Whatever is neither a publish nor a query that we know. */
export const UNSUPPORTED: QueryPayload = {
  kind: "query",
  query: "unsupported",
  node: undefined,
  action: undefined,
};

/** What a stanza of type `error` says (RFC 6120 §8.3). */
export interface StanzaError {
  readonly type: string | undefined;
  /** Name of the first child of `<error/>`, whatever it is. */
  readonly condition: string | undefined;
}

/** A stanza, without what we have no use for. */
export interface Stanza {
  readonly name: "iq" | "message" | "presence" | "other";
  readonly type: string | undefined;
  readonly id: string | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** What the first child is. */
  readonly payload: PublishPayload | QueryPayload;
  readonly error: StanzaError | undefined;
  /** Larger or deeper than allowed: its addresses are right, its payload cannot be relied on. */
  readonly excessive: boolean;
}
