import { type Throttle } from "./devices/throttle.ts";
import { type Latency } from "./latency.ts";

/** What can be changed while the simulator runs. */
export interface Behaviour {
  /** MAX_CONCURRENT_STREAMS after the first authenticated push; at once with a client certificate. */
  readonly streamLimit: number;
  /** The limit before that. */
  readonly firstStreamLimit: number;
  /** After a refusal (410 is none) the limit falls to 1, after the next accepted push it is back. */
  readonly narrowAfterRefusal: boolean;
  /** A client opens too many streams: REFUSED_STREAM for those, or GOAWAY and the end of the connection. */
  readonly onTooManyStreams: "refuse-stream" | "goaway";
  /** How long a usual answer takes. */
  readonly latency: Latency;
  /** This share of the pushes is never answered. */
  readonly stallShare: number;
  /** Per device. */
  readonly throttle: Throttle | "none";
  /**
   * Reasons after which a connection answers nothing any more, PINGs aside; seen at Apple's with
   * ExpiredProviderToken and TooManyProviderTokenUpdates.
   */
  readonly wedgeAfter: readonly string[];
  /** After so many BadDeviceToken the connection is closed. */
  readonly badTokensPerConnection: number | "unlimited";
  /** Answers a client's GOAWAY with one of its own at once, as Node's server does. */
  readonly answerGoaway: boolean;
}

export const DEFAULT_BEHAVIOUR: Behaviour = {
  streamLimit: 1_000,
  firstStreamLimit: 1,
  narrowAfterRefusal: false,
  onTooManyStreams: "refuse-stream",
  latency: { kind: "fixed", ms: 0 },
  stallShare: 0,
  throttle: "none",
  wedgeAfter: [],
  badTokensPerConnection: "unlimited",
  answerGoaway: false,
};
