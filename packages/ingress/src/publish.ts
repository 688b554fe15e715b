import {
  type EpochMillis,
  parseDeviceToken,
  type PublishResult,
  type PushModule,
  type Wakeup,
} from "@reveille/wakeup";

import { type PublishPayload } from "./stanza.ts";

/** The modules this region serves, by each name that publishes may carry, and the one for publishes that name none. */
export interface ServedModules {
  readonly known: ReadonlyMap<string, PushModule>;
  readonly fallback: PushModule | undefined;
  /** Those whose devices have tokens of FCM; the others' are Apple's. */
  readonly fcm: ReadonlySet<PushModule>;
}

export const servedModules = (
  known: ReadonlySet<PushModule>,
  fallback: PushModule | undefined,
  fcm: ReadonlySet<PushModule> = new Set(),
  aliases: ReadonlyMap<string, PushModule> = new Map(),
): ServedModules => ({
  // A name of a module is never another one's.
  known: new Map([...aliases, ...[...known].map((module) => [module, module] as const)]),
  fallback,
  fcm,
});

export type Refusal = Extract<PublishResult, "malformed" | "no-device-token" | "unknown-module">;

/** The wakeup a publish asks for, or why there is none. */
export function wakeupOf(
  publish: PublishPayload,
  modules: ServedModules,
  receivedAt: EpochMillis,
): Wakeup | Refusal {
  if (publish.node === undefined) return "malformed";
  const module = moduleOf(publish.module, modules);
  const kind = module !== undefined && modules.fcm.has(module) ? "fcm" : "apns";
  const token = parseDeviceToken(publish.node, kind);
  if (token === undefined) return "no-device-token";
  if (module === undefined) return "unknown-module";
  return { token, module, urgent: publish.urgent, receivedAt };
}

function moduleOf(named: string | undefined, modules: ServedModules): PushModule | undefined {
  if (named === undefined || named === "") return modules.fallback;
  return modules.known.get(named);
}
