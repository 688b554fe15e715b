import { type Clock, type Observe, type PublishResult } from "@reveille/wakeup";

import { DeviceCounts, type Devices, type Scope } from "./device-counts.ts";

export interface GuardLimits {
  /** From this share of devices that would be forgotten on, something is wrong. */
  readonly share: number;
  /** But not with fewer such devices. */
  readonly devices: number;
}

export interface GuardOptions {
  readonly limits: GuardLimits;
  readonly clock: Clock;
  readonly observe: Observe;
}

/** A publish that has come to its result. */
export interface GuardedPublish extends Scope {
  readonly device: string;
}

/** Replies that may be a mistake of ours: a wrong environment or topic, a module that was never configured by mistake. */
const ENDING: ReadonlySet<PublishResult> = new Set(["token-dead", "unknown-module"]);
/** Replies that show a registration at work. */
const WORKING: ReadonlySet<PublishResult> = new Set(["queued", "later", "merged"]);

/** So many domains, at least, have to see the same before a module is doubted for all. */
const LEAST_DOMAINS = 5;

interface Doubt {
  readonly kind: "module" | "domain";
  readonly scope: Scope;
}

const MOST_DOUBTS = 1_000;

/**
 * Watches how many of the devices of the last minutes we would have their servers forget: of each domain and module, and of each
 * module over all domains. What one domain sends, invented or not, counts for its own replies; only several domains together,
 * none of which counts for more than a fifth of the limit, make a module doubtful for everybody. Where there is
 * doubt, nobody is forgotten until the share is below half its limit again.
 */
export class RegistrationGuard {
  readonly #options: GuardOptions;
  readonly #counts: DeviceCounts;
  readonly #doubts = new Map<string, Doubt>();

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#counts = new DeviceCounts(options.clock, Math.ceil(options.limits.devices / LEAST_DOMAINS));
  }

  /** Whether to tell the sender `wait` in place of a reply that ends the registration of this device. */
  doubts(result: PublishResult, { device, ...scope }: GuardedPublish): boolean {
    const isEnding = ENDING.has(result);
    if (!isEnding && !WORKING.has(result)) return false;
    if (this.#counts.turn()) for (const { scope } of this.#doubts.values()) this.#judge(scope);
    this.#counts.add(scope, device, isEnding);
    const isDoubtful = this.#judge(scope);
    return isEnding && isDoubtful;
  }

  #judge(scope: Scope): boolean {
    const { ofDomain, ofModule } = this.#counts.of(scope);
    const ofAll = this.#turn({ kind: "module", scope }, `module ${scope.module ?? ""}`, ofModule);
    const own = this.#turn(
      { kind: "domain", scope },
      `domain ${scope.module ?? ""} ${scope.domain}`,
      ofDomain,
    );
    return ofAll || own;
  }

  #turn(doubt: Doubt, name: string, devices: Devices): boolean {
    const { limits, observe } = this.#options;
    const share = devices.ended / Math.max(1, devices.all);
    const isOn = this.#doubts.has(name);
    const isOver = devices.ended >= limits.devices && share >= limits.share;
    const isUnder = devices.ended < limits.devices / 2 || share < limits.share / 2;
    const turnsOn = !isOn && isOver;
    if (!turnsOn && !(isOn && isUnder)) return isOn;
    // Names are chosen by strangers: beyond so many doubts each is judged anew, and kept nowhere.
    if (turnsOn && this.#doubts.size >= MOST_DOUBTS) return true;
    if (turnsOn) this.#doubts.set(name, doubt);
    else this.#doubts.delete(name);
    observe({
      kind: "registration-guard-changed",
      scope: doubt.kind,
      module: doubt.scope.module,
      state: turnsOn ? "on" : "off",
      share,
      devices: Math.round(devices.ended),
      doubted: this.#doubted(doubt.kind),
    });
    return turnsOn;
  }

  #doubted(kind: Doubt["kind"]): number {
    return [...this.#doubts.values()].filter((doubt) => doubt.kind === kind).length;
  }
}
