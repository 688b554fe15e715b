import { isDeepStrictEqual } from "node:util";

import { type Clock, type Observe, type PushModule } from "@reveille/wakeup";

import { poolKeyOf } from "./apns/endpoint-of.ts";
import { notificationsOf } from "./apns/notification.ts";
import { type Engine, openRoute, type RouteOptions, WIRES } from "./apns/route.ts";
import { fcmKeyOf } from "./fcm/endpoints.ts";
import { openFcmRoute } from "./fcm/fcm-route.ts";
import { messagesOf } from "./fcm/message.ts";
import { type Resolve, systemResolver } from "./http2/endpoint.ts";
import { ModuleService } from "./module-service.ts";
import { type ModuleSettings } from "./module-settings.ts";
import { type PushRoute } from "./pool/push-route.ts";

export interface ModuleFleetOptions {
  readonly clock: Clock;
  readonly observe: Observe;
  /** Default: the system's resolver, which Node asks anew each time. */
  readonly resolve?: Resolve;
  /** Default `frames`; `node` in case Apple's servers should have surprises for it. */
  readonly engine?: Engine;
  /** From 0 to below 1, for jitter; default `Math.random`. */
  readonly random?: () => number;
}

interface Served {
  readonly service: ModuleService;
  readonly settings: ModuleSettings;
  readonly mostAtOnce: number;
}

const MOST_AT_ONCE = 1_000;

/** The modules of a moment with the routes they share. Disposing settles what is under way on all routes. */
export class ModuleFleet implements AsyncDisposable {
  readonly #options: ModuleFleetOptions;
  #served: ReadonlyMap<PushModule, Served> = new Map();
  #services: ReadonlyMap<PushModule, ModuleService> = new Map();
  #routes: ReadonlyMap<string, PushRoute> = new Map();
  readonly #retiring = new Set<Promise<void>>();
  #turn: Promise<void> = Promise.resolve();

  constructor(options: ModuleFleetOptions) {
    this.#options = options;
  }

  get services(): ReadonlyMap<PushModule, ModuleService> {
    return this.#services;
  }

  /** Has every route read its credential's files again. Never rejects. */
  async reload(): Promise<void> {
    await Promise.all(Array.from(this.#routes.values(), (route) => route.reload()));
  }

  /** To be called every minute: has breakers for which no wakeup comes tried all the same. */
  probeIdle(): void {
    for (const service of this.#services.values()) service.probeIfIdle();
  }

  /** One after the other. Rejects, with nothing changed, when one of the modules cannot be served. */
  replace(modules: ReadonlyMap<PushModule, ModuleSettings>, mostAtOnce = MOST_AT_ONCE): Promise<void> {
    const replaced = this.#turn.then(() => this.#replace(modules, mostAtOnce));
    this.#turn = replaced.catch(() => undefined);
    return replaced;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turn;
    // All at once: each may take its time to drain.
    for (const route of this.#routes.values()) this.#retire(route);
    await Promise.all(this.#retiring);
  }

  async #replace(modules: ReadonlyMap<PushModule, ModuleSettings>, mostAtOnce: number): Promise<void> {
    await using fresh = new AsyncDisposableStack();
    const routes = new Map<string, PushRoute>();
    const served = new Map<PushModule, Served>();
    for (const [module, settings] of modules) {
      const route = await this.#routeFor(settings, routes, fresh);
      const old = this.#served.get(module);
      const isSame = old?.mostAtOnce === mostAtOnce && isDeepStrictEqual(old.settings, settings);
      served.set(module, isSame ? old : this.#serve(module, settings, route, mostAtOnce));
    }
    fresh.move();
    for (const [module, old] of this.#served) if (served.get(module) !== old) old.service.retire();
    const before = this.#routes;
    this.#routes = routes;
    this.#served = served;
    this.#services = new Map(Array.from(served, ([module, { service }]) => [module, service]));
    for (const [key, route] of before) if (!routes.has(key)) this.#retire(route);
  }

  #serve(module: PushModule, settings: ModuleSettings, route: PushRoute, mostAtOnce: number): Served {
    const { clock, observe } = this.#options;
    const composer =
      settings.kind === "apns" ? notificationsOf(module, settings, clock) : messagesOf(module, settings);
    const service = new ModuleService({
      module,
      service: settings.kind,
      composer,
      route,
      mostAtOnce,
      clock,
      observe,
    });
    return { service, settings, mostAtOnce };
  }

  /** Modules with the same credential share a route, with those of before as well. */
  async #routeFor(
    settings: ModuleSettings,
    routes: Map<string, PushRoute>,
    fresh: AsyncDisposableStack,
  ): Promise<PushRoute> {
    const {
      clock,
      observe,
      resolve = systemResolver,
      engine = "frames",
      random = Math.random,
    } = this.#options;
    const key = settings.kind === "apns" ? poolKeyOf(settings.apns) : fcmKeyOf(settings.fcm);
    const known = routes.get(key) ?? this.#routes.get(key);
    const route =
      known ?? fresh.use(await openRouteOf(settings, { clock, observe, resolve, engine, random }));
    routes.set(key, route);
    return route;
  }

  #retire(route: PushRoute): void {
    const settled = Promise.resolve(route[Symbol.asyncDispose]()).then(
      () => void this.#retiring.delete(settled),
    );
    this.#retiring.add(settled);
  }
}

const openRouteOf = async (settings: ModuleSettings, options: RouteOptions): Promise<PushRoute> =>
  settings.kind === "apns"
    ? openRoute(settings.apns, options)
    : openFcmRoute(settings.fcm, { ...options, wires: WIRES[options.engine] });
