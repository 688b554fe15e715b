import { type Clock, type Millis } from "@reveille/wakeup";

import { type ComponentStream } from "./component-stream.ts";

/** A request of a peer, as far as the front keeps it until it is answered. */
export interface Request {
  /** `from` and `id` as the peer wrote them: what its answer is told by. */
  readonly from: string;
  readonly id: string;
  /** Our hostname, parsed. */
  readonly hostname: string;
  /** As the peer wrote it. */
  readonly to: string;
  readonly xml: string;
  /** Monotonic. */
  readonly receivedAt: Millis;
}

export interface ComponentsOptions {
  readonly clock: Clock;
  /** How long requests wait for a component, while there is none. */
  readonly holdFor: Millis;
  /** Most characters of those. */
  readonly heldLength: number;
  /** Most characters of requests that components have, kept to be asked again; requests beyond it are not. */
  readonly unansweredLength: number;
  /** From receiving a request until it must be answered. */
  readonly answerWithin: Millis;
  /** A request that no component has answered. */
  readonly onUnanswered: (request: Request) => void;
  /** A request did not fit into what is held. */
  readonly onFull: () => void;
}

interface Sent {
  readonly request: Request;
  readonly component: ComponentStream;
  /** Whether its text is kept, for another component. */
  readonly isKept: boolean;
}

/**
 * The components behind this front and what they have been asked. Requests go to the component with the fewest open
 * ones; those of a component that is gone go to another one, or wait for one.
 */
export class Components {
  readonly #options: ComponentsOptions;
  readonly #active = new Set<ComponentStream>();
  /** Oldest first. */
  readonly #sent = new Map<string, Sent>();
  /** Characters of those that are kept. */
  #sentLength = 0;
  #held: Request[] = [];
  #heldLength = 0;

  constructor(options: ComponentsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#active.size;
  }

  /** Requests without an answer, whether a component has them or not. */
  get open(): number {
    return this.#sent.size + this.#held.length;
  }

  serves(hostname: string): boolean {
    return this.for(hostname) !== undefined;
  }

  /** The component that a stanza for this hostname should go to now. */
  for(hostname: string): ComponentStream | undefined {
    let least: ComponentStream | undefined;
    for (const component of this.#active) {
      if (!component.isActive || component.hostname !== hostname) continue;
      if (least === undefined || isBetter(component, least)) least = component;
    }
    return least;
  }

  add(component: ComponentStream): void {
    this.#active.add(component);
    const held = this.#held.filter(({ hostname }) => hostname === component.hostname);
    this.#keep(this.#held.filter(({ hostname }) => hostname !== component.hostname));
    for (const request of held) this.ask(request);
  }

  remove(component: ComponentStream): void {
    this.#active.delete(component);
    for (const [key, sent] of this.#sent) {
      if (sent.component !== component) continue;
      this.#forget(key, sent);
      if (sent.isKept) this.ask(sent.request);
      else this.#options.onUnanswered(sent.request);
    }
  }

  /** Passes a request on, or keeps it for a while; to whom. */
  ask(request: Request): ComponentStream | undefined {
    const component = this.for(request.hostname);
    if (component === undefined) {
      this.#hold(request);
      return undefined;
    }
    const key = keyOf(request);
    // Of requests with one id the last one is answered.
    const before = this.#sent.get(key);
    if (before !== undefined) this.#forget(key, before);
    component.connection.send(request.xml);
    const isKept = this.#sentLength + request.xml.length <= this.#options.unansweredLength;
    this.#sent.set(key, { request: isKept ? request : { ...request, xml: "" }, component, isKept });
    if (isKept) this.#sentLength += request.xml.length;
    component.unanswered += 1;
    return component;
  }

  /** A component has answered; `false` if nobody waits for that answer any more. */
  answered(id: string, to: string, hostname: string): boolean {
    const key = keyOf({ id, from: to, hostname });
    const sent = this.#sent.get(key);
    if (sent === undefined) return false;
    this.#forget(key, sent);
    return true;
  }

  /** Gives up what has waited too long; to be called every second or so. */
  sweep(): void {
    const now = this.#options.clock.monotonic();
    const { holdFor, answerWithin, onUnanswered } = this.#options;
    const isLate = ({ receivedAt }: Request): boolean => now - receivedAt >= holdFor;
    const late = this.#held.filter(isLate);
    if (late.length > 0) this.#keep(this.#held.filter((request) => !isLate(request)));
    for (const request of late) onUnanswered(request);
    for (const [key, sent] of this.#sent) {
      if (now - sent.request.receivedAt < answerWithin) continue;
      this.#forget(key, sent);
      onUnanswered(sent.request);
    }
  }

  #forget(key: string, { component, request, isKept }: Sent): void {
    this.#sent.delete(key);
    component.unanswered -= 1;
    if (isKept) this.#sentLength -= request.xml.length;
  }

  #keep(held: Request[]): void {
    this.#held = held;
    this.#heldLength = held.reduce((sum, { xml }) => sum + xml.length, 0);
  }

  #hold(request: Request): void {
    const { holdFor, clock, heldLength, onUnanswered, onFull } = this.#options;
    const isLate = clock.monotonic() - request.receivedAt >= holdFor;
    const isFull = this.#heldLength + request.xml.length > heldLength;
    if (isFull) onFull();
    if (isLate || isFull) return onUnanswered(request);
    this.#held.push(request);
    this.#heldLength += request.xml.length;
  }
}

/** Whoever reads, then whoever has fewer open. */
function isBetter(one: ComponentStream, other: ComponentStream): boolean {
  const [isSlow, isOtherSlow] = [one.connection.isCongested, other.connection.isCongested];
  return isSlow === isOtherSlow ? one.unanswered < other.unanswered : isOtherSlow;
}

const keyOf = ({ id, from, hostname }: Pick<Request, "id" | "from" | "hostname">): string =>
  `${id}\n${from}\n${hostname}`;
