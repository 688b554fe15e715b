import { type PushModule } from "../push-module.ts";
import { type EpochMillis } from "../time.ts";

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
  /** `issuedAt`: what the new token says of itself, some minutes ago. Apple refuses it an hour after. */
  | { readonly kind: "provider-token-rotated"; readonly pool: string; readonly issuedAt: EpochMillis }
  /** The endpoint answers everything with troubles of its own: `open` gives it a rest. */
  | {
      readonly kind: "endpoint-rest-changed";
      readonly pool: string;
      readonly state: "closed" | "open" | "probing";
      readonly because?: string;
    }
  /** Credential files have changed; `refused`: the old credential stays in use. */
  | {
      readonly kind: "credential-changed";
      readonly pool: string;
      readonly state: "trying" | "in-use" | "refused";
      readonly because?: string;
    }
  /** Every user of this machine can read this secret file. */
  | { readonly kind: "credential-exposed"; readonly file: string }
  | {
      readonly kind: "breaker-changed";
      readonly module: PushModule;
      readonly state: "closed" | "open" | "probing";
      readonly because?: string;
    }
  /**
   * `on`: so many tokens are refused as bad that our environment or topic is to blame, and no token is declared
   * dead for that reason.
   */
  | { readonly kind: "token-guard-changed"; readonly module: PushModule; readonly state: "on" | "off" };
