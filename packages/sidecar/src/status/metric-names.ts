/** Metrics of the roles that the status is made from; docs/metrics.md says what they mean. */
export const METRICS = {
  publishes: "reveille_publishes_total",
  deliveries: "reveille_deliveries_total",
  latency: "reveille_delivery_latency_seconds",
  queueBatches: "reveille_queue_batches",
  queueOldest: "reveille_queue_oldest_seconds",
  trailing: "reveille_trailing_devices",
  sendingDomains: "reveille_sending_domains",
  component: "reveille_component_state",
  breaker: "reveille_breaker_state",
  connections: "reveille_push_connections",
  redisPart: "reveille_redis_role",
  replicas: "reveille_redis_replicas",
  sentinels: "reveille_redis_sentinels",
  clockSkew: "reveille_clock_skew_seconds",
  credentialExpiry: "reveille_credential_expiry_timestamp_seconds",
} as const;
