import { type PushModule } from "../push-module.ts";

export type ConnectionState = "connecting" | "probing" | "open" | "draining" | "closed";

/** `pool` names a pool by environment, host and credential id (closed set, from the configuration). */
export type PushServiceEvent =
  | {
      readonly kind: "connection-state-changed";
      readonly pool: string;
      readonly from: ConnectionState | undefined;
      readonly to: ConnectionState;
      readonly because?: string;
    }
  | { readonly kind: "goaway-received"; readonly pool: string; readonly reason: string }
  | { readonly kind: "stream-limit-changed"; readonly pool: string; readonly limit: number }
  | { readonly kind: "provider-token-rotated"; readonly pool: string }
  | {
      readonly kind: "breaker-changed";
      readonly module: PushModule;
      readonly state: "closed" | "open" | "probing";
      readonly because?: string;
    };
