import { type Clock, type PushEvent, seconds } from "@reveille/wakeup";

import { REPLIES, replyStanza, resultStanza } from "./reply.ts";
import { type Stanza } from "./stanza.ts";
import { ComponentStream, type StreamEnd } from "./stream/component-stream.ts";
import { type ComponentOptions, frontOf } from "./stream/front.ts";
import { SelfPing } from "./stream/self-ping.ts";
import { StreamGroup } from "./stream/stream-group.ts";

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
  const { connections = 1 } = component;
  const [front, group] = [frontOf(component), new StreamGroup(connections)];
  const pinged = Promise.withResolvers<ComponentTrial>();
  const observe = (event: PushEvent): void => {
    if (event.kind === "self-ping-settled" && !event.ok) pinged.resolve({ kind: "no-loop" });
  };
  const onLoop = (): void => pinged.resolve({ kind: "loop" });
  const ping = new SelfPing({ front, group, clock, observe, onLoop });
  const open = (): ComponentStream => {
    const stream: ComponentStream = new ComponentStream({
      front,
      clock,
      limits: LIMITS,
      onActive: () => {
        group.join();
        // A front with more places than streams would lose the ping.
        if (group.isWhole) void ping.watch(stream);
      },
      onStanza: (stanza) => {
        const answer = group.pending.hears(stanza) ? "" : notNow(stanza);
        if (answer !== "") stream.send(answer);
      },
    });
    return stream;
  };
  const streams = Array.from({ length: connections }, open);
  const done = new AbortController();
  const late = clock.sleep(LONGEST, done.signal).then((): ComponentTrial => ({ kind: "no-loop" }));
  const ends = streams.map(async (stream) => trialOf(await stream.ended));
  const trial = await Promise.race([pinged.promise, ...ends, late]);
  done.abort();
  await Promise.all(streams.map(async (stream) => stream.close()));
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
