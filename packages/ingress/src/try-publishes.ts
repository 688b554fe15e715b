import { randomUUID } from "node:crypto";

import { type Clock, type Millis, millis } from "@reveille/wakeup";

import { publishStanza, type PublishToSend } from "./publish-stanza.ts";
import { unsupportedStanza } from "./reply.ts";
import { type Stanza } from "./stanza.ts";
import { ComponentStream, type StreamEnd } from "./stream/component-stream.ts";
import { type ComponentOptions, frontOf } from "./stream/front.ts";

/** How a publish of ours was answered, as the servers of users take the answer. */
export type PublishAnswer =
  | { readonly kind: "accepted"; readonly took: Millis }
  /** An error of type `wait`: the registration stays. */
  | { readonly kind: "later"; readonly took: Millis; readonly condition: string }
  /** Any other error. It may come from the front itself, which tells so of a hostname that it does not find. */
  | { readonly kind: "forget"; readonly took: Millis; readonly condition: string }
  /** Nothing came in time. */
  | { readonly kind: "none" }
  /** The front did not take the publish, or was lost before an answer: this says nothing of the hostname. */
  | { readonly kind: "front-failed"; readonly because: string };

export interface PublishesToTry {
  /** The place to publish from: a front, and a domain of its own there. */
  readonly component: ComponentOptions;
  readonly publishes: readonly PublishToSend[];
  /** For the front to take us and, after that, for each answer. */
  readonly within: Millis;
  /** The publishes are on their way. */
  readonly onSent?: () => void;
  /** Gives up what is unanswered yet. */
  readonly signal?: AbortSignal;
}

const LIMITS = { length: 65_536, depth: 32 };

/**
 * Publishes as a user's server does, by a component that is there for as long as that takes; tells how each was answered,
 * in their order. Throws if the service is not `xmpp://host:port`.
 */
export async function tryPublishes(
  { component, publishes, within, onSent, signal }: PublishesToTry,
  clock: Clock,
): Promise<readonly PublishAnswer[]> {
  const front = frontOf(component);
  const awaited = publishes.map((publish) => new AwaitedAnswer(publish, clock));
  const settled = new AbortController();
  const until = AbortSignal.any([settled.signal, ...(signal === undefined ? [] : [signal])]);
  const stream = new ComponentStream({
    front,
    clock,
    limits: LIMITS,
    onActive: () => {
      for (const each of awaited) stream.send(each.sentFrom(front.domain));
      onSent?.();
      void clock.sleep(within, until).then(() => awaited.forEach((each) => each.settle({ kind: "none" })));
    },
    onStanza: (stanza) => {
      const isAnswer = awaited.some((each) => each.hears(stanza));
      const refused = isAnswer ? "" : refusal(stanza);
      if (refused !== "") stream.send(refused);
    },
  });
  const lost = (because: string): void =>
    awaited.forEach((each) => each.settle({ kind: "front-failed", because }));
  void stream.ended.then((end) => lost(inWords(end)));
  until.addEventListener("abort", () => lost("the canary stops"), { once: true });
  const answers = await Promise.all(awaited.map(async ({ answer }) => answer));
  settled.abort();
  await stream.close();
  return answers;
}

/** One publish on its way. The first thing that settles it counts. */
class AwaitedAnswer {
  /** Unguessable, so that nobody can answer in place of the hostname. */
  readonly #id = `canary-${randomUUID()}`;
  readonly #publish: PublishToSend;
  readonly #clock: Clock;
  readonly #answer = Promise.withResolvers<PublishAnswer>();
  #sentAt = 0;

  constructor(publish: PublishToSend, clock: Clock) {
    this.#publish = publish;
    this.#clock = clock;
  }

  get answer(): Promise<PublishAnswer> {
    return this.#answer.promise;
  }

  /** The stanza; from now on its time counts. */
  sentFrom(domain: string): string {
    this.#sentAt = this.#clock.monotonic();
    return publishStanza(this.#id, domain, this.#publish);
  }

  settle(answer: PublishAnswer): void {
    this.#answer.resolve(answer);
  }

  /** Whether the stanza is its answer. */
  hears({ name, type, id, from, error }: Stanza): boolean {
    if (name !== "iq" || id !== this.#id || from !== this.#publish.to) return false;
    if (type !== "result" && type !== "error") return false;
    const took = millis(this.#clock.monotonic() - this.#sentAt);
    if (type === "result") this.settle({ kind: "accepted", took });
    else {
      const kind = error?.type === "wait" ? "later" : "forget";
      this.settle({ kind, took, condition: conditionOf(error?.condition) });
    }
    return true;
  }
}

/** RFC 6120 §8.3.3. Another word from the network gets into no log. */
const CONDITIONS: ReadonlySet<string | undefined> = new Set([
  "bad-request",
  "conflict",
  "feature-not-implemented",
  "forbidden",
  "gone",
  "internal-server-error",
  "item-not-found",
  "jid-malformed",
  "not-acceptable",
  "not-allowed",
  "not-authorized",
  "policy-violation",
  "recipient-unavailable",
  "redirect",
  "registration-required",
  "remote-server-not-found",
  "remote-server-timeout",
  "resource-constraint",
  "service-unavailable",
  "subscription-required",
  "unexpected-request",
]);

const conditionOf = (told: string | undefined): string =>
  told !== undefined && CONDITIONS.has(told) ? told : "undefined-condition";

/** To whoever asks us something; "" for what gets no answer. */
function refusal({ name, type, id, from, to }: Stanza): string {
  if (name !== "iq" || (type !== "get" && type !== "set")) return "";
  if (id === undefined || from === undefined || to === undefined) return "";
  return unsupportedStanza({ id, from, to });
}

function inWords(end: StreamEnd): string {
  switch (end.kind) {
    case "conflict":
      return "conflict: another component has this domain";
    case "lost":
      return end.because;
    case "closed":
      return "the front closed the stream";
  }
}
