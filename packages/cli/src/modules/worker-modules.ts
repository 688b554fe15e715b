import { type ModuleSettings, type PushServices } from "@reveille/push-services";
import { type Config } from "@reveille/runtime";
import { type Clock, type Millis, millis, type PushModule } from "@reveille/wakeup";

import { moduleSettingsOf } from "./module-settings.ts";
import { isSameWay } from "./prove-credential.ts";

type Modules = Config["modules"];

export interface WorkerModulesOptions {
  readonly first: Config;
  readonly pushServices: Pick<PushServices, "replace" | "reload">;
  /** Rejects if the push service does not take the module so. */
  readonly prove: (module: PushModule, settings: ModuleSettings) => Promise<void>;
  readonly clock: Clock;
  /** Aborts when the worker stops. */
  readonly stopped: AbortSignal;
}

/**
 * The modules a worker sends for. What was accepted for a module before a reload took it out of the configuration is
 * still sent: the worker knows the module until the deadline of the last such wakeup.
 */
export class WorkerModules {
  readonly #options: WorkerModulesOptions;
  #config: Config;
  #known: Modules;
  /** As they are served: where a secret is read changes with each renewal. */
  #served: ReadonlyMap<PushModule, ModuleSettings>;
  /** When a module that went is forgotten, by the monotonic clock. */
  #forgetAt: ReadonlyMap<PushModule, number> = new Map();
  #turn: Promise<void> = Promise.resolve();

  constructor(options: WorkerModulesOptions) {
    this.#options = options;
    this.#config = options.first;
    this.#known = options.first.modules;
    this.#served = moduleSettingsOf(options.first);
  }

  /** Those of the configuration, and those that retire. */
  get known(): Modules {
    return this.#known;
  }

  get longestDeadline(): Millis {
    return millis(Math.max(...Array.from(this.#known.values(), ({ deadline }) => deadline)));
  }

  /**
   * Throws, with nothing changed, if a module cannot be served, or if the push service does not take the other
   * credential or address that a module is to have.
   */
  adopt(config: Config): Promise<void> {
    return this.#inTurn(async () => {
      await this.#proveChanged(config);
      const { clock, pushServices } = this.#options;
      const now = clock.monotonic();
      const going = [...this.#known].filter(([name]) => !config.modules.has(name));
      const forgetAt = new Map(
        going.map(([name, { deadline }]) => [name, this.#forgetAt.get(name) ?? now + deadline]),
      );
      await this.#serve(config, forgetAt);
      await pushServices.reload();
      if (forgetAt.size > 0) void this.#forgetLater(millis(Math.max(...forgetAt.values()) - now));
    });
  }

  async #proveChanged(config: Config): Promise<void> {
    const changed = [...moduleSettingsOf(config)].filter(([name, settings]) => {
      const now = this.#served.get(name);
      return now !== undefined && !isSameWay(now, settings);
    });
    await Promise.all(changed.map(([name, settings]) => this.#options.prove(name, settings)));
  }

  async #forgetLater(after: Millis): Promise<void> {
    const { clock, stopped } = this.#options;
    await clock.sleep(after, stopped);
    if (stopped.aborted) return;
    await this.#inTurn(async () => {
      const now = clock.monotonic();
      await this.#serve(this.#config, new Map([...this.#forgetAt].filter(([, at]) => at > now)));
    });
  }

  async #serve(config: Config, forgetAt: ReadonlyMap<PushModule, number>): Promise<void> {
    const retiring = [...this.#known].filter(([name]) => forgetAt.has(name));
    const known: Modules = new Map([...retiring, ...config.modules]);
    const settings = moduleSettingsOf({ modules: known });
    await this.#options.pushServices.replace(settings, config.worker.pushesAtOnce);
    this.#served = settings;
    this.#config = config;
    this.#known = known;
    this.#forgetAt = forgetAt;
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
