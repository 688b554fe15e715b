import { type Clock, type PushEvent, seconds } from "@reveille/wakeup";

import { REPLIES, replyStanza, resultStanza } from "./reply.ts";
import { type Stanza } from "./stanza.ts";
import { ComponentStream, type StreamEnd } from "./stream/component-stream.ts";
import { type ComponentOptions, frontOf } from "./stream/front.ts";
import { SelfPing } from "./stream/self-ping.ts";

/** How a front received us. */
export type ComponentTrial =
  /** It accepted us and passed on a ping to ourselves. */
  | { readonly kind: "loop" }
  /** It accepted us, and a ping to ourselves got lost. */
  | { readonly kind: "no-loop" }
  /** Another component has the place: ours, if an ingress runs. */
  | { readonly kind: "conflict" }
  | { readonly kind: "refused"; readonly because: string };

const LIMITS = { length: 65_536, depth: 32 };
const LONGEST = seconds(15);

/**
 * Takes a component's place at its front for the moment of one ping, and leaves it. Who asks something meanwhile is
 * told to wait. Throws if the service is not `xmpp://host:port`.
 */
export async function tryComponent(component: ComponentOptions, clock: Clock): Promise<ComponentTrial> {
  const front = frontOf(component);
  const pinged = Promise.withResolvers<ComponentTrial>();
  const observe = (event: PushEvent): void => {
    if (event.kind === "self-ping-settled" && !event.ok) pinged.resolve({ kind: "no-loop" });
  };
  const ping = new SelfPing({ front, clock, observe, onLoop: () => pinged.resolve({ kind: "loop" }) });
  const stream = new ComponentStream({
    front,
    clock,
    limits: LIMITS,
    onActive: () => void ping.watch(stream),
    onStanza: (stanza) => {
      const answer = ping.hears(stanza) ? "" : notNow(stanza);
      if (answer !== "") stream.send(answer);
    },
  });
  const done = new AbortController();
  const late = clock.sleep(LONGEST, done.signal).then((): ComponentTrial => ({ kind: "no-loop" }));
  const trial = await Promise.race([pinged.promise, stream.ended.then(trialOf), late]);
  done.abort();
  await stream.close();
  return trial;
}

function trialOf(end: StreamEnd): ComponentTrial {
  switch (end.kind) {
    case "conflict":
      return { kind: "conflict" };
    case "lost":
      return { kind: "refused", because: end.because };
    case "closed":
      return { kind: "refused", because: "the front closed the stream" };
  }
}

/** Tells whoever asks to wait, and answers pings, our own among them; "" for what gets no answer. */
function notNow({ name, type, id, from, to, payload }: Stanza): string {
  if (name !== "iq" || (type !== "get" && type !== "set")) return "";
  if (id === undefined || from === undefined || to === undefined) return "";
  const isPing = payload.kind === "query" && payload.query === "ping" && type === "get";
  return isPing ? resultStanza({ id, from, to }, "") : replyStanza({ id, from, to }, REPLIES.draining);
}
