import { readFile } from "node:fs/promises";
import { lookup } from "node:dns/promises";

import {
  apnsIdOf,
  type Clock,
  type Observe,
  type Outcome,
  type PartHealth,
  type PushModule,
  type Wakeup,
} from "@reveille/wakeup";

import { endpointOf, poolKeyOf, poolNameOf } from "./apns/endpoint-of.ts";
import { type Forms, formsOf, ownHeadersOf } from "./apns/notification.ts";
import { Pool } from "./apns/pool.ts";
import { providerTokens } from "./apns/provider-token.ts";
import { loadCredential } from "./credentials/credential.ts";
import { type Resolve } from "./http2/endpoint.ts";
import { nodeWires } from "./http2/node-wire.ts";
import { type ApnsSettings, type ModuleSettings } from "./module-settings.ts";

export interface PushServicesOptions {
  readonly modules: ReadonlyMap<PushModule, ModuleSettings>;
  readonly clock: Clock;
  readonly observe: Observe;
  /** Default: the system's resolver, which Node asks anew each time. */
  readonly resolve?: Resolve;
  /** Default `Math.random`. */
  readonly random?: () => number;
}

/** The push services of all modules. Disposing settles what is under way (20 s at most), then closes. */
export interface PushServices extends AsyncDisposable {
  /** Tells what became of the wakeup. Never rejects. */
  readonly send: (wakeup: Wakeup) => Promise<Outcome>;
  /** One part for each pool of connections. */
  readonly health: () => readonly PartHealth[];
  /**
   * How many more wakeups of that module could leave at once. Whoever sends when it is 0 or less waits in
   * line, 10 s at most: workers take from the queue only while it is positive.
   */
  readonly freeSlots: (module: PushModule) => number;
}

interface Service {
  readonly settings: ModuleSettings;
  readonly forms: Forms;
  readonly pool: Pool;
}

/**
 * Resolves before anybody is connected: connections come up in the background and `health` tells. Throws an
 * Error that names file or module for a credential that cannot be used and a payload that Apple would refuse.
 */
export async function openPushServices(options: PushServicesOptions): Promise<PushServices> {
  await using opened = new AsyncDisposableStack();
  const pools = new Map<string, Pool>();
  opened.defer(() => disposeAll(pools.values()));
  const services = new Map<PushModule, Service>();
  for (const [module, settings] of options.modules) {
    const forms = formsOf(module, settings);
    const key = poolKeyOf(settings.apns);
    const pool = pools.get(key) ?? (await openPool(settings.apns, options));
    pools.set(key, pool);
    services.set(module, { settings, forms, pool });
  }
  const resources = opened.move();
  return {
    send: (wakeup) => sendThrough(services.get(wakeup.module), wakeup, options.clock),
    health: () => [...pools.values()].map((pool) => ({ part: `apns ${pool.name}`, health: pool.health })),
    freeSlots: (module) => services.get(module)?.pool.freeSlots ?? 0,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** All at once: each may take its time to drain. */
async function disposeAll(pools: Iterable<Pool>): Promise<void> {
  await Promise.all(Array.from(pools, (pool) => pool[Symbol.asyncDispose]()));
}

async function openPool(settings: ApnsSettings, options: PushServicesOptions): Promise<Pool> {
  const { clock, observe, resolve = systemResolver, random = Math.random } = options;
  const { credential } = await loadCredential(settings);
  const ca = settings.caFile === undefined ? undefined : await readFile(settings.caFile);
  const endpoint = endpointOf(settings, credential, ca);
  return new Pool({
    name: poolNameOf(settings, endpoint),
    openWire: nodeWires(endpoint, resolve),
    tokens: credential.kind === "token" ? providerTokens(credential.issuer, clock) : undefined,
    clock,
    observe,
    random,
  });
}

const systemResolver: Resolve = (host) => lookup(host, { all: true });

function sendThrough(service: Service | undefined, wakeup: Wakeup, clock: Clock): Promise<Outcome> {
  if (service === undefined) {
    return Promise.resolve({ kind: "rejected", reason: "module not configured", blame: "module" });
  }
  const { settings, forms, pool } = service;
  return new Promise((settle) => {
    pool.send({
      path: `/3/device/${wakeup.token}`,
      form: wakeup.urgent ? forms.urgent : forms.quiet,
      ownHeaders: ownHeadersOf(wakeup, settings, clock.now()),
      apnsId: apnsIdOf(wakeup),
      settle,
    });
  });
}
