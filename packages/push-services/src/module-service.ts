import {
  type Clock,
  type EpochMillis,
  type Health,
  minutes,
  type Observe,
  type Outcome,
  type PushModule,
  type Wakeup,
} from "@reveille/wakeup";

import { Breaker, type Permit, type Parked, shownBy, type ProbeResult } from "./breaker.ts";
import { type ModuleSettings } from "./module-settings.ts";
import { type Composer, type Push } from "./pool/passage.ts";
import { type PushRoute } from "./pool/push-route.ts";
import { TokenGuard } from "./token-guard.ts";

/** One refusal may be a glitch of one of Apple's servers (seen with InvalidProviderToken); three in a row are none. */
const SUSPECTS_AFTER = 3;
/** Refused one after the other while a push to nobody is accepted: then the push service looks at devices first. */
const OPENS_AFTER_DEVICES = 10;
const PROBE_EVERY = minutes(1);
/**
 * Parked wakeups come again every minute. Without any for so long, others may have all there are, and the breaker would
 * stay open for good.
 */
const IDLE_AFTER = minutes(5);

export interface ModuleServiceOptions {
  readonly module: PushModule;
  readonly service: ModuleSettings["kind"];
  readonly composer: Composer;
  readonly route: PushRoute;
  /** Pushes under way beyond which there is no room for more. */
  readonly mostAtOnce: number;
  readonly clock: Clock;
  readonly observe: Observe;
}

/** The push service as one module sees it. Its troubles are its own: modules on the same route don't notice. */
export class ModuleService {
  /** Where its pushes go. */
  readonly service: ModuleSettings["kind"];
  readonly #composer: Composer;
  readonly #route: PushRoute;
  readonly #breaker: Breaker;
  readonly #guard: TokenGuard;
  readonly #mostAtOnce: number;
  readonly #clock: Clock;
  #underWay = 0;
  /** A push to nobody is under way, and what it shows. */
  #asking: Promise<void> | undefined;
  /** When the newest wakeup came, by the monotonic clock. */
  #askedAt: number;
  #retired = false;

  constructor(options: ModuleServiceOptions) {
    const { module, service, composer, route, mostAtOnce, clock } = options;
    const observe: Observe = (event) => {
      if (!this.#retired) options.observe(event);
    };
    this.service = service;
    this.#composer = composer;
    this.#route = route;
    this.#mostAtOnce = mostAtOnce;
    this.#clock = clock;
    this.#askedAt = clock.monotonic();
    this.#guard = new TokenGuard(clock, (state) => observe({ kind: "token-guard-changed", module, state }));
    this.#breaker = new Breaker({
      threshold: SUSPECTS_AFTER,
      devices: OPENS_AFTER_DEVICES,
      triesOthers: true,
      restBefore: () => PROBE_EVERY,
      clock,
      changed: (state, because) =>
        observe({ kind: "breaker-changed", module, state, ...(because === undefined ? {} : { because }) }),
    });
  }

  get freeSlots(): number {
    return this.#route.freeSlots;
  }

  /** How many more wakeups can be sent at once. */
  get room(): number {
    return Math.min(this.#route.freeSlots, this.#mostAtOnce - this.#underWay);
  }

  get expiresAt(): EpochMillis | undefined {
    return this.#route.expiresAt;
  }

  get health(): Health {
    if (this.#breaker.state === "closed") return this.#route.health;
    return { kind: "failing", because: `the push service refuses the module: ${this.#breaker.because}` };
  }

  /** Never rejects. */
  send(wakeup: Wakeup): Promise<Outcome> {
    // Without room nothing was asked for; it came along with wakeups of modules that have some.
    if (this.#underWay >= 2 * this.#mostAtOnce) return Promise.resolve(NO_ROOM);
    this.#askedAt = this.#clock.monotonic();
    const permit = this.#askBreaker(wakeup.token);
    if (permit.kind === "parked") return Promise.resolve(parked(permit.because));
    return permit.probe && this.#breaker.doubts(wakeup.token)
      ? this.#sendAfterProbe(wakeup, permit)
      : this.#send(wakeup, permit);
  }

  async #send(wakeup: Wakeup, permit: Permit): Promise<Outcome> {
    const outcome = await new Promise<Outcome>((resolve) =>
      this.#push(this.#composer.for(wakeup), permit, resolve),
    );
    if (this.#breaker.suspects) void this.#askForNobody({ kind: "permit", probe: false, device: undefined });
    return this.#guard.check(outcome, wakeup.unproven);
  }

  /** The device was refused before, so it shows nothing new: a push to nobody does. */
  async #sendAfterProbe(wakeup: Wakeup, permit: Permit): Promise<Outcome> {
    await this.#askForNobody({ ...permit, device: undefined });
    if (this.#breaker.state !== "closed") return parked(this.#breaker.because);
    return this.#send(wakeup, { kind: "permit", probe: false, device: wakeup.token });
  }

  /** To be called every minute: has a push to nobody try an open breaker for which no wakeup comes. */
  probeIfIdle(): void {
    if (this.#breaker.state === "closed") return;
    const isIdle = this.#clock.monotonic() - this.#askedAt >= IDLE_AFTER;
    if (!isIdle && !this.#route.awaitsProof) return;
    const permit = this.#askBreaker(undefined);
    if (permit.kind === "permit") void this.#askForNobody(permit);
  }

  /** Another one serves the module, or nobody: what this one had against it is over, and it tells no more. */
  retire(): void {
    this.#breaker.reset();
    this.#guard.reset();
    this.#retired = true;
  }

  #askBreaker(device: string | undefined): Permit | Parked {
    if (this.#route.awaitsProof) this.#breaker.probeNow();
    return this.#breaker.ask(device);
  }

  /** Has the breaker judge by a push to a token that cannot exist. The guard does not hear of it: a bad token was wanted. */
  #askForNobody(permit: Permit): Promise<void> {
    this.#asking ??= new Promise<void>((resolve) =>
      this.#push(this.#composer.forNobody(), permit, () => resolve()),
    ).finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  #push(push: Omit<Push, "settle">, permit: Permit, settled: (outcome: Outcome) => void): void {
    this.#underWay += 1;
    this.#route.send({
      ...push,
      settle: (outcome) => {
        this.#underWay -= 1;
        this.#breaker.heard(permit, probeResultOf(outcome), shownBy(outcome));
        settled(outcome);
      },
    });
  }
}

const NO_ROOM: Outcome = { kind: "unreachable", reason: "too many pushes of the module under way" };

const parked = (reason: string): Outcome => ({ kind: "rejected", reason, blame: "module" });

/** What an outcome says about the module's credential and settings. */
function probeResultOf(outcome: Outcome): ProbeResult {
  switch (outcome.kind) {
    case "delivered":
    case "token-dead":
    case "throttled":
      return "good";
    case "unreachable":
      return "unclear";
    case "rejected":
      return outcome.blame === "module" ? "refused" : "good";
  }
}
