import { type Millis, minutes, seconds } from "@reveille/wakeup";

import { type ConnectionLimits } from "./s2s/connection-limits.ts";
import { type InboundLimits } from "./s2s/inbound-stream.ts";
import { type OutboundLimits } from "./s2s/outbound-streams.ts";

/** Every bound of a front. */
export interface FrontLimits extends ConnectionLimits {
  /** Longest stanza of a peer, in characters. */
  readonly longestStanza: number;
  readonly inbound: Omit<InboundLimits, "longestStanza">;
  readonly outbound: OutboundLimits;
  /** How long requests wait while no component is connected, and most characters of those. */
  readonly holdFor: Millis;
  readonly mostHeld: number;
  /** From receiving a request until the front answers it itself; senders wait for 32 s at least. */
  readonly answerWithin: Millis;
}

export const LIMITS: FrontLimits = {
  connections: 20_000,
  unproven: 2_000,
  unprovenOfAddress: 50,
  ofAddress: 1_000,
  longestStanza: 65_536,
  inbound: {
    tlsWithin: seconds(10),
    provenWithin: seconds(30),
    longestUnproven: 10_240,
    domains: 100,
    lookUps: 10,
  },
  outbound: {
    connecting: 500,
    streams: 20_000,
    waiting: 256 * 1024,
    connectWithin: seconds(8),
    negotiateWithin: seconds(15),
    retryAfter: seconds(10),
    idleFor: minutes(10),
  },
  holdFor: seconds(5),
  mostHeld: 8 * 1024 * 1024,
  answerWithin: seconds(25),
};
