import { type AskedRole, type Config } from "@reveille/runtime";
import { type Clock, type Millis } from "@reveille/wakeup";

import { type Finding } from "./finding.ts";
import { type Machine } from "./machine.ts";

/** What all checks look at. */
export interface DoctorContext {
  readonly config: Config;
  readonly clock: Clock;
  readonly machine: Machine;
  /** Roles that run on this host now, each with its report. */
  readonly roles: readonly AskedRole[];
  /** Asked in place of the system's servers. */
  readonly dnsServers: readonly string[];
  /** PEM of authorities to trust in s2s beside Node's own. */
  readonly authorities: string | undefined;
  /** Where the sidecars of the other hosts answer, e.g. `http://10.0.0.2:9464`. */
  readonly peers: readonly URL[];
  /** Longest time for one question. */
  readonly timeout: Millis;
}

/** Looks at one thing. What it throws is told as a failure. */
export type Check = (context: DoctorContext) => Promise<readonly Finding[]>;
