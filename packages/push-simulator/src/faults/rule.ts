import { type ErrorCode } from "../error-code.ts";
import { type Latency } from "../latency.ts";
import { type Goaway } from "./goaway.ts";

/** Which pushes a rule is about: all conditions must hold; none means every push. */
export interface PushMatch {
  readonly token?: string;
  readonly tokenPrefix?: string;
  readonly topic?: string;
  readonly pushType?: string;
  readonly connection?: number;
}

/** What happens to a push instead of the usual answer. */
export type Fault =
  /**
   * Any answer. With `reason` a JSON body as Apple's, with `body` that text instead (an HTML 502).
   * `processed`: the device gets the notification all the same, as always with 200.
   */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly reason?: string;
      /** Milliseconds since 1970. */
      readonly timestamp?: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly processed?: boolean;
    }
  /** RST_STREAM, by default with INTERNAL_ERROR. */
  | { readonly kind: "reset-stream"; readonly code?: ErrorCode; readonly processed?: boolean }
  /** The TCP connection ends with RST, and with it everything else in flight on it. */
  | { readonly kind: "reset-connection"; readonly processed?: boolean }
  /** Response headers, and then nothing. */
  | { readonly kind: "headers-only"; readonly status?: number; readonly processed?: boolean }
  /** Never an answer; the stream stays open. */
  | { readonly kind: "no-answer"; readonly processed?: boolean }
  /** GOAWAY on the push's connection; the push is answered as usual unless its stream is cut off by it. */
  | ({ readonly kind: "goaway" } & Omit<Goaway, "connection">)
  /** 503 Shutdown for the push, and GOAWAY. */
  | { readonly kind: "shutdown" };

/** A fault, a delay or both, for some pushes. The first rule that fits decides. */
export interface Rule {
  readonly match?: PushMatch;
  /**
   * `acceptance` (default): only pushes that passed validation. `arrival`: before validation, so the rule
   * also hides refusals.
   */
  readonly at?: "arrival" | "acceptance";
  /** On how many pushes the rule acts before it is spent; on all if left out. */
  readonly times?: number;
  /** How many fitting pushes pass before it acts the first time. */
  readonly skip?: number;
  /** The share of fitting pushes it acts on, 0 to 1, by the seeded chance. */
  readonly share?: number;
  /** Takes the place of the usual latency. */
  readonly latency?: Latency;
  readonly fault?: Fault;
}

/** A rule that was added. */
export interface ActiveRule {
  readonly id: number;
  readonly rule: Rule;
  /** On how many pushes it has acted. */
  readonly hits: number;
  readonly remove: () => void;
}
