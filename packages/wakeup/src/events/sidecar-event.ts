import { type Health, type Role } from "../health.ts";
import { type EpochMillis } from "../time.ts";

/** What the sidecar sees of the roles on its host. */
export type SidecarEvent =
  | {
      readonly kind: "role-process-changed";
      readonly role: Role;
      readonly pid: number;
      /** `silent`: its socket is there, but no report comes; its parts are then unknown. */
      readonly state: "answering" | "silent" | "gone";
      readonly because?: string;
    }
  | {
      readonly kind: "part-health-changed";
      readonly role: Role;
      readonly pid: number;
      readonly part: string;
      readonly health: Health;
    }
  | {
      readonly kind: "readiness-changed";
      readonly ready: boolean;
      /** Why not, for people. */
      readonly reasons: readonly string[];
    }
  /** The front at this address was asked for its certificate; it showed none for our hostname if there is a `because`. */
  | {
      readonly kind: "front-certificate-seen";
      readonly front: string;
      readonly expiresAt: EpochMillis | undefined;
      readonly because?: string;
    };
