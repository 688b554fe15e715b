import { lookup } from "node:dns/promises";

import {
  type Clock,
  type EpochMillis,
  minutes,
  type Observe,
  type Outcome,
  type PartHealth,
  type PushModule,
  type Wakeup,
} from "@reveille/wakeup";

import { poolKeyOf } from "./apns/endpoint-of.ts";
import { notificationsOf } from "./apns/notification.ts";
import { type Engine, openRoute, type RouteOptions, WIRES } from "./apns/route.ts";
import { fcmKeyOf } from "./fcm/endpoints.ts";
import { openFcmRoute } from "./fcm/fcm-route.ts";
import { messagesOf } from "./fcm/message.ts";
import { type Resolve } from "./http2/endpoint.ts";
import { ModuleService } from "./module-service.ts";
import { type ModuleSettings } from "./module-settings.ts";
import { type PushRoute } from "./pool/push-route.ts";

export interface PushServicesOptions {
  readonly modules: ReadonlyMap<PushModule, ModuleSettings>;
  readonly clock: Clock;
  readonly observe: Observe;
  /** Default: the system's resolver, which Node asks anew each time. */
  readonly resolve?: Resolve;
  /** Default `frames`; `node` in case Apple's servers should have surprises for it. */
  readonly engine?: Engine;
  /** Pushes of one module under way beyond which no more should be taken from the queue; default 1,000. */
  readonly mostAtOnce?: number;
  /** From 0 to below 1, for jitter; default `Math.random`. */
  readonly random?: () => number;
}

/** The push services of all modules. Disposing settles what is under way (20 s at most), then closes. */
export interface PushServices extends AsyncDisposable {
  /** Tells what became of the wakeup. Never rejects. */
  readonly send: (wakeup: Wakeup) => Promise<Outcome>;
  /** One part per module; they stand in for each other. */
  readonly health: () => readonly PartHealth[];
  /**
   * How many more wakeups may be taken from the queue now: as many as the module with the most room can send at
   * once. Modules without room settle what is beyond twice their `mostAtOnce` as `unreachable`, so that a slow one
   * is not in the way of the others.
   */
  readonly room: () => number;
  /** How many more wakeups of that module could leave at once; modules with the same credential share. */
  readonly freeSlots: (module: PushModule) => number;
  /** Modules that authenticate by certificate, and when it expires. */
  readonly expiries: () => readonly CredentialExpiry[];
  /**
   * Reads all credential files again, as happens by itself every minute. A changed credential is used once Apple
   * has accepted it; until then, and if it is refused, the old one stays. Never rejects.
   */
  readonly reload: () => Promise<void>;
}

export interface CredentialExpiry {
  readonly module: PushModule;
  readonly expiresAt: EpochMillis;
}

const LOOK_AT_FILES_EVERY = minutes(1);

/**
 * Resolves before anybody is connected: connections come up in the background and `health` tells. Throws an
 * Error that names file or module for a credential that cannot be used and a payload that Apple would refuse.
 */
export async function openPushServices(options: PushServicesOptions): Promise<PushServices> {
  await using opened = new AsyncDisposableStack();
  const routes = new Map<string, PushRoute>();
  opened.defer(() => disposeAll(routes.values()));
  const services = await openServices(options, routes);
  const reload = async (): Promise<void> => {
    await Promise.all(Array.from(routes.values(), (route) => route.reload()));
  };
  opened.use(repeating(reload, options.clock));
  const resources = opened.move();
  return {
    send: (wakeup) => services.get(wakeup.module)?.send(wakeup) ?? Promise.resolve(NOT_CONFIGURED),
    health: () =>
      Array.from(services, ([module, { health }]) => ({ part: `apns ${module}`, health, anyOf: "apns" })),
    room: () => Math.max(...Array.from(services.values(), ({ room }) => room)),
    freeSlots: (module) => services.get(module)?.freeSlots ?? 0,
    expiries: () =>
      Array.from(services, ([module, { expiresAt }]) =>
        expiresAt === undefined ? [] : [{ module, expiresAt }],
      ).flat(),
    reload,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

const NOT_CONFIGURED: Outcome = { kind: "rejected", reason: "module not configured", blame: "module" };

/** Modules with the same credential share a route; all routes are put into `routes`. */
async function openServices(
  options: PushServicesOptions,
  routes: Map<string, PushRoute>,
): Promise<ReadonlyMap<PushModule, ModuleService>> {
  const {
    modules,
    clock,
    observe,
    resolve = systemResolver,
    engine = "frames",
    mostAtOnce = 1_000,
    random = Math.random,
  } = options;
  const services = new Map<PushModule, ModuleService>();
  for (const [module, settings] of modules) {
    const key = settings.kind === "apns" ? poolKeyOf(settings.apns) : fcmKeyOf(settings.fcm);
    const route =
      routes.get(key) ?? (await openRouteOf(settings, { clock, observe, resolve, engine, random }));
    routes.set(key, route);
    const compose =
      settings.kind === "apns" ? notificationsOf(module, settings, clock) : messagesOf(module, settings);
    services.set(module, new ModuleService({ module, compose, route, mostAtOnce, clock, observe }));
  }
  return services;
}

const openRouteOf = async (settings: ModuleSettings, options: RouteOptions): Promise<PushRoute> =>
  settings.kind === "apns"
    ? openRoute(settings.apns, options)
    : openFcmRoute(settings.fcm, { ...options, wires: WIRES[options.engine] });

const systemResolver: Resolve = (host) => lookup(host, { all: true });

/** All at once: each may take its time to drain. */
async function disposeAll(routes: Iterable<PushRoute>): Promise<void> {
  await Promise.all(Array.from(routes, (route) => route[Symbol.asyncDispose]()));
}

/** Does `work` every minute until it is disposed. */
function repeating(work: () => Promise<void>, clock: Clock): AsyncDisposable {
  const stop = new AbortController();
  const running = (async () => {
    for (;;) {
      await clock.sleep(LOOK_AT_FILES_EVERY, stop.signal);
      if (stop.signal.aborted) return;
      await work();
    }
  })();
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
    },
  };
}
