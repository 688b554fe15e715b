import { type Millis, minutes, seconds } from "@reveille/wakeup";

import { type ConnectionLimits } from "./s2s/connection-limits.ts";
import { type InboundLimits } from "./s2s/inbound-stream.ts";
import { type LookUpLimits } from "./s2s/look-up-budget.ts";
import { type OutboundLimits } from "./s2s/outbound-streams.ts";

/** Every bound of a front. */
export interface FrontLimits extends ConnectionLimits, LookUpLimits {
  /** Streams that one domain has proven itself on; the oldest goes for a new one. */
  readonly streamsOfDomain: number;
  /** Longest stanza of a peer, in characters. */
  readonly stanzaLength: number;
  readonly inbound: Omit<InboundLimits, "stanzaLength">;
  readonly outbound: OutboundLimits;
  /** How long requests wait while no component is connected, and most characters of those. */
  readonly holdFor: Millis;
  readonly heldLength: number;
  /** Most characters of requests that a component has, kept for another one in case it goes; what is beyond is not asked again. */
  readonly unansweredLength: number;
  /** From receiving a request until the front answers it itself; senders wait for 32 s at least. */
  readonly answerWithin: Millis;
}

export const LIMITS: FrontLimits = {
  connections: 20_000,
  unproven: 2_000,
  unprovenOfAddress: 50,
  connectionsOfAddress: 1_000,
  streamsOfDomain: 100,
  lookUps: 300,
  lookUpsOfAddress: 50,
  stanzaLength: 65_536,
  inbound: {
    tlsWithin: seconds(10),
    provenWithin: seconds(30),
    longestUnproven: 10_240,
    domains: 100,
    unsentLength: 131_072,
  },
  outbound: {
    connecting: 500,
    streams: 20_000,
    waiting: 256 * 1024,
    connectWithin: seconds(8),
    negotiateWithin: seconds(15),
    retryAfter: seconds(10),
    idleFor: minutes(10),
    confirmEvery: seconds(5),
    confirmWithin: seconds(10),
    repliesFor: seconds(25),
  },
  holdFor: seconds(5),
  heldLength: 8 * 1024 * 1024,
  unansweredLength: 64 * 1024 * 1024,
  answerWithin: seconds(25),
};
