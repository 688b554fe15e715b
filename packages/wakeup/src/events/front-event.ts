/** What the front tells. `domain` is an open set: for logs, never a label. A `because` is a condition or an error code. */
export type FrontEvent =
  /** A peer has proven a domain on a stream that it opened (`in`), or we have proven ours on one that we opened (`out`). */
  | {
      readonly kind: "peer-proven";
      readonly direction: "in" | "out";
      readonly method: "external" | "dialback";
      readonly domain: string;
    }
  /** A stream that a peer opened is over; `domains` that it had proven. */
  | { readonly kind: "peer-stream-ended"; readonly because: string; readonly domains: readonly string[] }
  /** Replies cannot go to this domain; `dropped` of them. */
  | {
      readonly kind: "peer-unreachable";
      readonly domain: string;
      readonly because: string;
      readonly dropped: number;
    }
  /** Something was refused, closed or given up, because this bound was reached. */
  | { readonly kind: "limit-reached"; readonly limit: FrontLimit }
  /** A component (XEP-0114) has connected, or is gone. */
  | {
      readonly kind: "component-changed";
      readonly hostname: string;
      readonly state: "active" | "gone";
      readonly because?: string;
    }
  /** Whether the front accepts new streams of peers, and why not. */
  | {
      readonly kind: "listening-changed";
      readonly state: "listening" | "stopped";
      readonly because?: string;
    };

/** Bounds of the front, named after their keys in `front.limits`. */
export type FrontLimit =
  | "connections"
  | "connectionsOfAddress"
  | "unproven"
  | "unprovenOfAddress"
  | "streamsOfDomain"
  | "lookUps"
  | "lookUpsOfAddress"
  | "heldLength"
  | "unsentLength";
