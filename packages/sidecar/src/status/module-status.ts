import { type Health } from "@reveille/wakeup";

import { type RoleProcess } from "../role-process.ts";
import { METRICS } from "./metric-names.ts";
import { type Families, valuesOf } from "./series.ts";

export interface ModuleStatus {
  readonly module: string;
  /**
   * Of the workers of this host that answer, how the one fares that fares best: it can send for the module (`ready`), or cannot
   * (`failing`: refused or out of reach), or cannot yet. `null`: none tells.
   */
  readonly sending: Health["kind"] | null;
  readonly breaker: "closed" | "open" | "probing";
  readonly credentialExpiresAt: number | null;
}

/** The part by which a worker tells of a module. */
const PART = /^(?:apns|fcm) (.+)$/;

/** The best first; a worker that is about to know or to go says nothing against the others. */
const RANKS = ["ready", "failing", "starting", "draining"] as const satisfies readonly Health["kind"][];

/** By name. What a reload took away is not among them, though its series stay. */
export function moduleStatuses(
  processes: readonly RoleProcess[],
  families: Families,
): readonly ModuleStatus[] {
  const sending = sendingOf(processes);
  const breakers = valuesOf(families, METRICS.breaker).filter(({ value }) => value > 0);
  const expiries = valuesOf(families, METRICS.credentialExpiry);
  const named = [...breakers, ...expiries].map(({ labels }) => String(labels["module"]));
  // Before a worker has its Redis it tells of no module, and its series do.
  const modules = new Set(sending.size > 0 ? sending.keys() : named);
  return [...modules].toSorted().map((module) => {
    const states = new Set(
      breakers.filter(({ labels }) => labels["module"] === module).map(({ labels }) => labels["state"]),
    );
    const expiry = expiries
      .filter(({ labels }) => labels["module"] === module)
      .map(({ value }) => value * 1_000);
    return {
      module,
      sending: sending.get(module) ?? null,
      breaker: states.has("open") ? "open" : states.has("probing") ? "probing" : "closed",
      credentialExpiresAt: expiry.length === 0 ? null : Math.min(...expiry),
    };
  });
}

function sendingOf(processes: readonly RoleProcess[]): ReadonlyMap<string, Health["kind"]> {
  const kinds = new Map<string, Set<Health["kind"]>>();
  for (const { role, silentBecause, report } of processes) {
    if (role !== "worker" || silentBecause !== undefined) continue;
    for (const { part, health } of report?.parts ?? []) {
      const [, module] = PART.exec(part) ?? [];
      if (module !== undefined) kinds.set(module, (kinds.get(module) ?? new Set()).add(health.kind));
    }
  }
  return new Map(
    [...kinds].flatMap(([module, all]) =>
      RANKS.filter((kind) => all.has(kind))
        .slice(0, 1)
        .map((kind) => [module, kind] as const),
    ),
  );
}

/**
 * Modules for which no worker of this host can send, while others work. If there is none that works, the workers of other
 * hosts do what is done at all, and what is wrong is no module's.
 */
export const muteModules = (modules: readonly ModuleStatus[]): readonly ModuleStatus[] =>
  modules.some(({ sending }) => sending === "ready")
    ? modules.filter(({ sending }) => sending === "failing")
    : [];
