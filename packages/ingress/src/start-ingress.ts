import {
  type Clock,
  type Millis,
  type Observe,
  type PartHealth,
  type PushModule,
  seconds,
} from "@reveille/wakeup";

import { StatusCommand } from "./ad-hoc/status-command.ts";
import { type ServiceState } from "./ad-hoc/status-form.ts";
import { answerBy } from "./answer.ts";
import { DeadMemory } from "./dead-memory.ts";
import { Fillers } from "./fillers.ts";
import { FLUSH_APART } from "./flush-pace.ts";
import { MicroBatcher } from "./micro-batcher.ts";
import {
  type AdmissionPort,
  type QueuePort,
  type RegionCountsPort,
  type RegionState,
  type SenderLimit,
  type SenderRefusal,
} from "./ports.ts";
import { type ServedModules, servedModules, type WasServed } from "./publish.ts";
import { type GuardLimits, RegistrationGuard } from "./registration-guard.ts";
import { receiveWith } from "./reception.ts";
import { type ComponentOptions, frontOf, slotsOf } from "./stream/front.ts";
import { StreamGroup } from "./stream/stream-group.ts";
import { type RepliesReach, ReplyProbe } from "./reply-probe.ts";
import { FrontSlot } from "./stream/front-slot.ts";

export interface IngressOptions {
  /** The own host's front first; the others are for standing by. */
  readonly components: readonly ComponentOptions[];
  readonly modules: IngressModules;
  readonly admission: AdmissionPort;
  readonly queue: QueuePort;
  readonly clock: Clock;
  readonly observe: Observe;
  /** True while nothing more should be let in, because the queue would get too big for its Redis. Default: never. */
  readonly isFull?: () => boolean;
  /** True a little before that: domains that have filled it are told to wait. Default: never. */
  readonly isNearlyFull?: () => boolean;
  /**
   * Whether an ingress of another host shows signs of life at the front that we stand by for: without them it may have
   * frozen in our place. Default: it is trusted.
   */
  readonly isStoodInFor?: () => boolean;
  /** Whether the ingress of another host wants its place back, if we have it. Default: never. */
  readonly isPlaceWanted?: () => boolean;
  /** Which sending domains are refused before anything else, by name. Default: none. */
  readonly refusal?: (domain: string) => SenderRefusal | undefined;
  /** Whether an IQ of this domain that is no publish is answered with `wait`. Default: never. */
  readonly refusesQuery?: (domain: string) => boolean;
  /** The name under which a domain counts together with others. Default: its own. */
  readonly payerOf?: (domain: string) => string;
  /** What a sending domain may publish, told to it when it asks. Default: as much as it wants. */
  readonly limitOf?: (domain: string) => SenderLimit;
  /** Where all ingresses of the region count sending domains together. Default: each tells what it has counted itself. */
  readonly regionCounts?: RegionCountsPort;
  /** The name under which a domain counts for the registration guard, e.g. its registrable part. Default: its own. */
  readonly countedAs?: (domain: string) => string;
  /** How the region is behind its ingresses, told to domains that ask. Default: ready. */
  readonly regionState?: () => RegionState;
  /** Told to whoever asks (XEP-0092). */
  readonly version: string;
  readonly limits?: Partial<IngressLimits>;
}

/** The modules that publishes may name. */
export interface IngressModules {
  readonly known: ReadonlySet<PushModule>;
  /** For publishes that name no module. */
  readonly fallback?: PushModule;
  /** Those whose devices have tokens of FCM; the others' are Apple's. */
  readonly fcm?: ReadonlySet<PushModule>;
  /** Other names that publishes may carry. */
  readonly aliases?: ReadonlyMap<string, PushModule>;
  /** Whether the region has ever served this name with tokens of this kind; `""`: no name. Default: never. */
  readonly wasServed?: WasServed;
}

/** Bounds of one ingress. */
export interface IngressLimits {
  /** Most publishes in hand, three quarters of it of one domain; more are told to wait. 20,000. */
  readonly publishes: number;
  /** Most memory of those, in bytes. 32 MiB. */
  readonly bytes: number;
  /** Least time between the beginnings of two micro-batches while publishes keep coming. 2 ms. */
  readonly flushApart: Millis;
  /** How long publishes are held while Redis is away. 20 s. */
  readonly holdFor: Millis;
  /** Longest stanza that is believed, in characters. 65,536. */
  readonly stanzaLength: number;
  /** How long a device that admission has called dead is answered for from memory. 60 s. */
  readonly rememberDead: Millis;
  /** Most of those. 20,000, about 3 MB. */
  readonly deadDevices: number;
  /** When we doubt our own settings instead of ending registrations. A quarter, of at least 50 devices. */
  readonly guard: GuardLimits;
}

export interface Ingress extends AsyncDisposable {
  readonly health: () => readonly PartHealth[];
  /** From the next publish on, these are the modules. */
  readonly serve: (modules: IngressModules) => void;
  /** Publishes in hand, unanswered. */
  readonly held: () => number;
  /** How many sending domains our replies reach. */
  readonly repliesReach: () => RepliesReach;
  /** Whether it serves the front of another host, and stanzas pass. */
  readonly standsIn: () => boolean;
  /** Whether another ingress has its place at the own front. */
  readonly wantsPlace: () => boolean;
}

const LIMITS: IngressLimits = {
  publishes: 20_000,
  bytes: 32 * 1024 * 1024,
  flushApart: FLUSH_APART,
  holdFor: seconds(20),
  stanzaLength: 65_536,
  rememberDead: seconds(60),
  deadDevices: 20_000,
  guard: { share: 0.25, devices: 50 },
};

/** Deeper than any stanza of XMPP; a publish needs ten. */
const STANZA_DEPTH = 32;

/**
 * Resolves when the own front has accepted or refused us, and keeps trying in the second case. Throws on a
 * service that is no `xmpp://host:port`. Disposing drains: what is in hand is answered, new publishes are told
 * to wait, then the streams are closed.
 */
export async function startIngress(options: IngressOptions): Promise<Ingress> {
  const { clock, observe, admission, queue, version } = options;
  let modules = servedBy(options.modules);
  const limits = { ...LIMITS, ...options.limits };
  const guard = new RegistrationGuard({ limits: limits.guard, clock, observe });
  const statusCommand: StatusCommand = new StatusCommand({
    clock,
    service: () => serviceState(batcher, options),
    limitOf: options.limitOf ?? (() => undefined),
    regionCounts: options.regionCounts,
  });
  const answer = statusCommand.counting(
    answerBy({ guard, countedAs: options.countedAs ?? ((domain) => domain), clock, observe }),
  );
  const fillers = new Fillers(clock);
  const probe = new ReplyProbe({
    clock,
    onAnswer: (domain, isReached) => {
      statusCommand.addProbe(domain, isReached);
      observe({ kind: "reply-probed", isReached });
    },
  });
  const dead = new DeadMemory({ clock, keepFor: limits.rememberDead, most: limits.deadDevices });
  const batcher: MicroBatcher = new MicroBatcher({
    admission,
    queue,
    clock,
    observe,
    answer: (waiting, result) => {
      if (result === "token-dead") dead.add(waiting.wakeup);
      if (result === "queued" || result === "later") fillers.add(waiting.payer);
      answer(waiting, result);
      const { address, path, sender } = waiting;
      if (result === "queued") probe.answered(sender, address.to, path);
    },
    limits,
    flushApart: limits.flushApart,
    holdFor: limits.holdFor,
    onHeldInVain: async () => void (await Promise.all(slots.map((slot) => slot.release()))),
  });
  const receive = receiveWith({
    modules: () => modules,
    queryFacts: { version, statusForm: (from) => statusCommand.formFor(from) },
    clock,
    observe: statusCommand.watching(observe),
    answer,
    refusal: options.refusal ?? (() => undefined),
    refusesQuery: options.refusesQuery ?? (() => false),
    payerOf: options.payerOf ?? ((domain) => domain),
    accept: (one) => {
      if (dead.has(one.wakeup)) {
        observe({ kind: "dead-device-remembered" });
        answer(one, "token-dead");
      } else if (options.isFull?.() === true) answer(one, "overload");
      else if (options.isNearlyFull?.() === true && fillers.has(one.payer)) answer(one, "over-limit");
      else batcher.accept(one);
    },
  });
  const groups = new Map(options.components.map((one) => [one, new StreamGroup(one.connections ?? 1)]));
  const slots = slotsOf(options.components).map(
    ({ component, name, isOwn }) =>
      new FrontSlot({
        front: { ...frontOf(component), name },
        isOwn,
        group: groups.get(component) ?? new StreamGroup(1),
        isWantedBack: options.isPlaceWanted ?? ((): boolean => false),
        clock,
        observe,
        limits: { length: limits.stanzaLength, depth: STANZA_DEPTH },
        isStoodInFor: options.isStoodInFor ?? ((): boolean => true),
        onStanza: (stanza, slot) => (probe.hears(stanza) ? undefined : receive(stanza, slot)),
      }),
  );
  const own = slots.filter((slot) => slot.isOwn);
  await Promise.all(own.map(async ({ settled }) => settled));
  return {
    health: () => [
      ...own.map(({ health }) => ({ part: "component", health })),
      { part: "intake", health: batcher.health },
    ],
    serve: (next) => void (modules = servedBy(next)),
    held: () => batcher.inHand,
    repliesReach: () => probe.reach(),
    standsIn: () => slots.some((slot) => !slot.isOwn && slot.isServing),
    wantsPlace: () => own.some(({ isStandingBy }) => isStandingBy),
    [Symbol.asyncDispose]: async () => {
      await batcher.drain();
      await statusCommand[Symbol.asyncDispose]();
      await Promise.all(slots.map((slot) => slot.close()));
    },
  };
}

function serviceState(
  batcher: MicroBatcher,
  { isFull, regionState }: Pick<IngressOptions, "isFull" | "regionState">,
): ServiceState {
  const { kind } = batcher.health;
  switch (kind) {
    case "draining":
      return "restarting";
    case "failing":
      return "holding";
    case "starting":
    case "ready":
      return isFull?.() === true ? "overloaded" : (regionState?.() ?? "ready");
  }
}

const servedBy = ({ known, fallback, fcm, ...more }: IngressModules): ServedModules =>
  servedModules(known, fallback, fcm, more);
