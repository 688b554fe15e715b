import {
  type EpochMillis,
  parseDeviceToken,
  type PublishResult,
  type PushModule,
  type TokenKind,
  type Wakeup,
} from "@reveille/wakeup";

import { type PublishPayload } from "./stanza.ts";

/** The modules this region serves, by each name that publishes may carry, and the one for publishes that name none. */
export interface ServedModules {
  readonly known: ReadonlyMap<string, PushModule>;
  readonly fallback: PushModule | undefined;
  /** Those whose devices have tokens of FCM; the others' are Apple's. */
  readonly fcm: ReadonlySet<PushModule>;
  readonly wasServed: WasServed;
}

/** Whether the region has ever served this name (`""`: publishes that name none) with tokens of this kind. */
export type WasServed = (module: string, kind: TokenKind) => boolean;

interface FurtherNames {
  readonly aliases?: ReadonlyMap<string, PushModule>;
  readonly wasServed?: WasServed;
}

const NEVER: WasServed = () => false;

export const servedModules = (
  known: ReadonlySet<PushModule>,
  fallback: PushModule | undefined,
  fcm: ReadonlySet<PushModule> = new Set(),
  { aliases = new Map(), wasServed = NEVER }: FurtherNames = {},
): ServedModules => ({
  // A name of a module is never another one's.
  known: new Map([...aliases, ...[...known].map((module) => [module, module] as const)]),
  fallback,
  fcm,
  wasServed,
});

export type Refusal = Extract<
  PublishResult,
  "malformed" | "no-device-token" | "unknown-module" | "module-changed"
>;

/** The wakeup a publish asks for, or why there is none. */
export function wakeupOf(
  publish: PublishPayload,
  modules: ServedModules,
  receivedAt: EpochMillis,
): Wakeup | Refusal {
  if (publish.node === undefined) return "malformed";
  const { module: name = "", node } = publish;
  const module = moduleOf(name, modules);
  if (module === undefined) {
    return KINDS.some((kind) => modules.wasServed(name, kind)) ? "module-changed" : "unknown-module";
  }
  const kind = modules.fcm.has(module) ? "fcm" : "apns";
  const token = parseDeviceToken(node, kind);
  const former = kindOf(node);
  // Any token of Apple's has the shape of one of Google's, too.
  if (former !== undefined && former !== kind && modules.wasServed(name, former)) return "module-changed";
  if (token === undefined) return "no-device-token";
  return { token, module, urgent: publish.urgent, receivedAt };
}

const KINDS = ["apns", "fcm"] as const satisfies readonly TokenKind[];

const kindOf = (node: string): TokenKind | undefined =>
  KINDS.find((kind) => parseDeviceToken(node, kind) !== undefined);

function moduleOf(named: string, modules: ServedModules): PushModule | undefined {
  if (named === "") return modules.fallback;
  return modules.known.get(named);
}
