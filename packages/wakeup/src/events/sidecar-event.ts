import { type Role } from "../health.ts";

/** What the sidecar sees of the roles on its host. */
export type SidecarEvent =
  | {
      readonly kind: "role-process-changed";
      readonly role: Role;
      readonly pid: number;
      /** `silent`: its socket is there, but no report comes. */
      readonly state: "answering" | "silent" | "gone";
      readonly because?: string;
    }
  | {
      readonly kind: "readiness-changed";
      readonly ready: boolean;
      /** Why not, for people. */
      readonly reasons: readonly string[];
    };
