import {
  type EpochMillis,
  parseDeviceToken,
  type PublishResult,
  type PushModule,
  type Wakeup,
} from "@reveille/wakeup";

import { type PublishPayload } from "./stanza.ts";

/** The modules this region serves, by name, and the one for publishes that name none. */
export interface ServedModules {
  readonly known: ReadonlyMap<string, PushModule>;
  readonly fallback: PushModule | undefined;
}

export const servedModules = (
  known: ReadonlySet<PushModule>,
  fallback: PushModule | undefined,
): ServedModules => ({ known: new Map([...known].map((module) => [module, module])), fallback });

export type Refusal = Extract<PublishResult, "malformed" | "no-device-token" | "unknown-module">;

/** The wakeup a publish asks for, or why there is none. */
export function wakeupOf(
  publish: PublishPayload,
  modules: ServedModules,
  receivedAt: EpochMillis,
): Wakeup | Refusal {
  if (publish.node === undefined) return "malformed";
  const token = parseDeviceToken(publish.node);
  if (token === undefined) return "no-device-token";
  const module = moduleOf(publish.module, modules);
  if (module === undefined) return "unknown-module";
  return { token, module, urgent: publish.urgent, receivedAt };
}

function moduleOf(named: string | undefined, modules: ServedModules): PushModule | undefined {
  if (named === undefined || named === "") return modules.fallback;
  return modules.known.get(named);
}
