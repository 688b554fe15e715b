import {
  type Clock,
  type EpochMillis,
  minutes,
  type Outcome,
  type PartHealth,
  type PushModule,
  type Wakeup,
} from "@reveille/wakeup";

import { ModuleFleet, type ModuleFleetOptions } from "./module-fleet.ts";
import { type ModuleSettings } from "./module-settings.ts";

export interface PushServicesOptions extends ModuleFleetOptions {
  readonly modules: ReadonlyMap<PushModule, ModuleSettings>;
  /** Pushes of one module under way beyond which no more should be taken from the queue; default 1,000. */
  readonly mostAtOnce?: number;
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
  /**
   * From now on these are the modules, and `mostAtOnce` their limit. A module whose settings stay as they are notices
   * nothing; what is under way for one that changes or goes is settled by the old settings. Throws as
   * {@link openPushServices} does, and then nothing has changed.
   */
  readonly replace: (modules: ReadonlyMap<PushModule, ModuleSettings>, mostAtOnce?: number) => Promise<void>;
}

export interface CredentialExpiry {
  readonly module: PushModule;
  readonly expiresAt: EpochMillis;
}

const LOOK_EVERY = minutes(1);

/**
 * Resolves before anybody is connected: connections come up in the background and `health` tells. Throws an
 * Error that names file or module for a credential that cannot be used and a payload that Apple would refuse.
 */
export async function openPushServices(options: PushServicesOptions): Promise<PushServices> {
  await using opened = new AsyncDisposableStack();
  const fleet = opened.use(new ModuleFleet(options));
  await fleet.replace(options.modules, options.mostAtOnce);
  const reload = (): Promise<void> => fleet.reload();
  const look = async (): Promise<void> => {
    await reload();
    fleet.probeIdle();
  };
  opened.use(repeating(look, options.clock));
  const resources = opened.move();
  return {
    send: (wakeup) => fleet.services.get(wakeup.module)?.send(wakeup) ?? Promise.resolve(NOT_CONFIGURED),
    health: () =>
      Array.from(fleet.services, ([module, { health, service }]) => ({
        part: `${service} ${module}`,
        health,
        anyOf: "apns",
      })),
    room: () => Math.max(...Array.from(fleet.services.values(), ({ room }) => room)),
    freeSlots: (module) => fleet.services.get(module)?.freeSlots ?? 0,
    expiries: () =>
      Array.from(fleet.services, ([module, { expiresAt }]) =>
        expiresAt === undefined ? [] : [{ module, expiresAt }],
      ).flat(),
    reload,
    replace: (modules, mostAtOnce) => fleet.replace(modules, mostAtOnce),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

const NOT_CONFIGURED: Outcome = { kind: "rejected", reason: "module not configured", blame: "module" };

/** Does `work` every minute until it is disposed. */
function repeating(work: () => Promise<void>, clock: Clock): AsyncDisposable {
  const stop = new AbortController();
  const running = (async () => {
    for (;;) {
      await clock.sleep(LOOK_EVERY, stop.signal);
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
