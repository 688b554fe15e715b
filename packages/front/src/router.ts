import { type Clock, seconds } from "@reveille/wakeup";

import { type ComponentStream } from "./component/component-stream.ts";
import { type Components, type Request } from "./component/components.ts";
import { domainPartOf, parseDomain } from "./s2s/domain-name.ts";
import { type InboundStream, type PeerStanza } from "./s2s/inbound-stream.ts";
import { type ProvenStreams } from "./s2s/proven-streams.ts";
import { PING_PREFIX } from "./s2s/confirmation.ts";
import { type OutboundStreams } from "./s2s/outbound-streams.ts";
import { emptyResult, notFoundError, textFor, waitError } from "./stanza-text.ts";
import { type StreamElement } from "./stream/element-reader.ts";

export interface RouterPorts {
  readonly clock: Clock;
  readonly components: Components;
  readonly outbound: Pick<OutboundStreams, "answered" | "send">;
  readonly streams: Pick<ProvenStreams, "forReplies">;
  readonly onRouted: (what: Routed) => void;
}

/** What became of a stanza, for counting. */
export type Routed = "to-component" | "to-peer" | "answered" | "dropped" | "reply-dropped";

const READ_WITHIN = seconds(10);

/** Passes stanzas between peers and components. Knows addresses only: nothing of what stanzas are about. */
export class Router {
  readonly #ports: RouterPorts;
  /** Streams that are not read while a component that they write to does not read. */
  readonly #paused = new Map<ComponentStream, Set<InboundStream>>();

  constructor(ports: RouterPorts) {
    this.#ports = ports;
  }

  ended(stream: InboundStream): void {
    for (const streams of this.#paused.values()) streams.delete(stream);
  }

  /** A component is gone: nobody waits for it to read. */
  componentEnded(component: ComponentStream): void {
    this.#resume(component);
  }

  fromPeer({ element, from: domain, to: hostname, prefixes }: PeerStanza, stream: InboundStream): void {
    const { attributes, local } = element;
    const [from, to] = [attributes.get("from") ?? "", attributes.get("to") ?? ""];
    const type = attributes.get("type");
    const id = attributes.get("id");
    const isRequest = local === "iq" && (type === "set" || type === "get");
    const xml = textFor(element, prefixes);
    if (xml === undefined) {
      if (!isRequest) return this.#ports.onRouted("dropped");
      const text = "This stanza is longer than any that this service needs, or has an unbound prefix.";
      return this.#answer({ from, hostname }, waitError({ id, from, to }, "bad-request", text));
    }
    if (id?.startsWith(PING_PREFIX) === true) return this.#ports.outbound.answered(hostname, domain, id);
    if (!isRequest || id === undefined) return this.#pass(xml, hostname, stream);
    const { clock, components } = this.#ports;
    if (type === "get" && !components.serves(hostname) && xml.includes("urn:xmpp:ping"))
      return this.#answer({ from, hostname }, emptyResult({ id, from, to }));
    const component = components.ask({ from, id, hostname, to, xml, receivedAt: clock.monotonic() });
    this.#ports.onRouted("to-component");
    this.#relieve(component, stream);
  }

  fromComponent(element: StreamElement, component: ComponentStream): void {
    const { attributes } = element;
    const to = attributes.get("to") ?? "";
    const from = parseDomain(domainPartOf(attributes.get("from") ?? ""));
    const xml = textFor(element);
    if (from !== component.hostname || xml === undefined) return this.#ports.onRouted("dropped");
    const type = attributes.get("type");
    const isAnswer = element.local === "iq" && (type === "result" || type === "error");
    const isLoop = parseDomain(domainPartOf(to)) === component.hostname;
    // A peer that has been answered in the place of a component is told nothing more of it.
    if (
      isAnswer &&
      !isLoop &&
      !this.#ports.components.answered(attributes.get("id") ?? "", to, component.hostname)
    )
      return this.#ports.onRouted("dropped");
    const domain = parseDomain(domainPartOf(to));
    if (domain === undefined) return this.#ports.onRouted("dropped");
    // A component that writes to its own hostname asks whether stanzas come back to it.
    if (domain === component.hostname) return component.connection.send(xml);
    this.#toPeer(from, domain, xml, bounceOf(element, component));
  }

  /** No component has answered this in time. */
  unanswered({ from, to, id, hostname }: Request): void {
    const text = "This service is restarting; the request may be repeated.";
    this.#answer({ from, hostname }, waitError({ id, from, to }, "remote-server-timeout", text));
  }

  #answer({ from, hostname }: { readonly from: string; readonly hostname: string }, xml: string): void {
    const domain = parseDomain(domainPartOf(from));
    if (domain === undefined) return;
    this.#ports.onRouted("answered");
    this.#toPeer(hostname, domain, xml);
  }

  /** `onDropped`: if it cannot be delivered, now or later. */
  #toPeer(from: string, domain: string, xml: string, onDropped?: () => void): void {
    const stream = this.#ports.streams.forReplies(domain, from);
    if (stream !== undefined) {
      stream.connection.send(xml);
      return this.#ports.onRouted("to-peer");
    }
    const isSent = this.#ports.outbound.send(from, domain, xml, onDropped);
    this.#ports.onRouted(isSent ? "to-peer" : "reply-dropped");
    if (!isSent) onDropped?.();
  }

  /** What nobody waits an answer for. */
  #pass(xml: string, hostname: string, stream: InboundStream): void {
    const component = this.#ports.components.for(hostname);
    component?.connection.send(xml);
    this.#ports.onRouted(component === undefined ? "dropped" : "to-component");
    this.#relieve(component, stream);
  }

  /** A component that reads slowly slows down whoever writes to it, and nobody's stanzas pile up here. */
  #relieve(component: ComponentStream | undefined, stream: InboundStream): void {
    if (component === undefined || !component.connection.isCongested) return;
    stream.connection.pause();
    const paused = this.#paused.get(component);
    if (paused !== undefined) return void paused.add(stream);
    this.#paused.set(component, new Set([stream]));
    component.connection.onDrain(() => this.#resume(component));
    void this.#giveUp(component);
  }

  /** A component that reads nothing for long hangs: others get what it has. */
  async #giveUp(component: ComponentStream): Promise<void> {
    const { signal } = component.connection;
    await this.#ports.clock.sleep(READ_WITHIN, signal);
    if (!signal.aborted && this.#paused.has(component)) component.connection.destroy("does not read");
  }

  #resume(component: ComponentStream): void {
    const streams = this.#paused.get(component) ?? [];
    this.#paused.delete(component);
    for (const { connection } of streams) connection.resume();
  }
}

/**
 * Tells a component that its request finds no way to a peer (RFC 6120 §10.4.1), by which an ingress learns that replies
 * do not reach that peer either; `undefined` for what is no request, since an answer is never bounced.
 */
function bounceOf({ local, attributes }: StreamElement, { connection }: ComponentStream) {
  const [id, from, to, type] = ["id", "from", "to", "type"].map((name) => attributes.get(name) ?? "");
  if (local !== "iq" || (type !== "get" && type !== "set")) return undefined;
  return (): void => connection.send(notFoundError({ id, from: from ?? "", to: to ?? "" }));
}
