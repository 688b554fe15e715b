import {
  type CanaryEvent,
  type FrontEvent,
  type IngressEvent,
  type Observe,
  type PushServiceEvent,
  type QueueEvent,
  type SidecarEvent,
} from "@reveille/wakeup";

/** Told by every role that talks to Redis, unlike the other events of the queue. */
export type RedisEvent = Extract<
  QueueEvent,
  {
    kind:
      | "redis-trouble"
      | "redis-recovered"
      | "redis-room-changed"
      | "redis-durability-changed"
      | "redis-data-lost"
      | "redis-packs-loosely"
      | "append-only-file-rewrite"
      | "replicas-missing"
      | "clock-compared";
  }
>;
export type WorkEvent = Exclude<QueueEvent, RedisEvent>;

/** Who hears the events of each stage; a missing listener ignores them. */
export interface StageListeners {
  readonly front?: ((event: FrontEvent) => void) | undefined;
  readonly ingress?: ((event: IngressEvent) => void) | undefined;
  readonly work?: ((event: WorkEvent) => void) | undefined;
  readonly pushService?: ((event: PushServiceEvent) => void) | undefined;
  readonly sidecar?: ((event: SidecarEvent) => void) | undefined;
  readonly canary?: ((event: CanaryEvent) => void) | undefined;
  readonly redis?: ((event: RedisEvent) => void) | undefined;
}

/** The one list of all kinds of events: a new kind does not compile until it has a stage. */
export const byStage =
  ({ front, ingress, work, pushService, sidecar, canary, redis }: StageListeners): Observe =>
  (event) => {
    switch (event.kind) {
      case "peer-proven":
      case "peer-stream-ended":
      case "peer-unreachable":
      case "limit-reached":
      case "component-changed":
      case "listening-changed":
        return front?.(event);
      case "wakeup-admitted":
      case "publish-answered":
      case "query-answered":
      case "oversized-stanza-skipped":
      case "dead-device-remembered":
      case "reply-probed":
      case "stanza-ignored":
      case "flush-settled":
      case "component-state-changed":
      case "self-ping-settled":
      case "clear-content-seen":
      case "registration-guard-changed":
        return ingress?.(event);
      case "batch-taken":
      case "batch-settled":
      case "batch-broken":
      case "batch-newer":
      case "batch-failed":
      case "consumer-restarted":
      case "delivery-settled":
      case "wakeup-dropped":
      case "trailing-pumped":
      case "trailing-broken":
        return work?.(event);
      case "connection-state-changed":
      case "goaway-received":
      case "stream-limit-changed":
      case "provider-token-rotated":
      case "endpoint-rest-changed":
      case "credential-changed":
      case "credential-exposed":
      case "breaker-changed":
      case "token-guard-changed":
        return pushService?.(event);
      case "redis-trouble":
      case "redis-recovered":
      case "redis-room-changed":
      case "redis-durability-changed":
      case "redis-data-lost":
      case "redis-packs-loosely":
      case "append-only-file-rewrite":
      case "replicas-missing":
      case "clock-compared":
        return redis?.(event);
      case "role-process-changed":
      case "part-health-changed":
      case "readiness-changed":
      case "front-certificate-seen":
        return sidecar?.(event);
      case "canary-settled":
        return canary?.(event);
    }
  };
