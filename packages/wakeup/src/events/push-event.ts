import { type CanaryEvent } from "./canary-event.ts";
import { type FrontEvent } from "./front-event.ts";
import { type IngressEvent } from "./ingress-event.ts";
import { type PushServiceEvent } from "./push-service-event.ts";
import { type QueueEvent } from "./queue-event.ts";
import { type SidecarEvent } from "./sidecar-event.ts";

/**
 * Every fact that parts tell; metrics and logs are made from these in `runtime` and nowhere else. A `because`
 * or `reason` is free text for logs, never a label and never with a token in it.
 */
export type PushEvent =
  | FrontEvent
  | IngressEvent
  | QueueEvent
  | PushServiceEvent
  | SidecarEvent
  | CanaryEvent;

/** Must not throw, and must not decide anything. */
export type Observe = (event: PushEvent) => void;
