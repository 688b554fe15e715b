import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { type Socket } from "node:net";

import { type Clock, seconds } from "@reveille/wakeup";
import { escapeAttribute } from "@reveille/xml";

import { type StreamElement, type StreamHeader } from "../stream/element-reader.ts";
import { COMPONENT, DIALBACK, STREAMS } from "../stream/namespaces.ts";
import { XmppConnection } from "../stream/xmpp-connection.ts";
import { parseDomain } from "../s2s/domain-name.ts";

export interface ComponentPorts {
  readonly clock: Clock;
  readonly secret: string;
  readonly serves: (domain: string) => boolean;
  readonly onActive: (component: ComponentStream) => void;
  readonly onStanza: (element: StreamElement, component: ComponentStream) => void;
  readonly onEnded: (because: string, component: ComponentStream) => void;
}

const OPEN_WITHIN = seconds(10);
const LONGEST = 1 << 20;
const MOST_UNSENT = 64 << 20;

/** The accepting side of XEP-0114 for one component. */
export class ComponentStream {
  readonly connection: XmppConnection;
  readonly #ports: ComponentPorts;
  readonly #id = randomBytes(16).toString("hex");
  #hostname = "";
  #isActive = false;
  /** Stanzas that it has been sent and that wait for its answer. */
  unanswered = 0;

  constructor(socket: Socket, ports: ComponentPorts) {
    this.#ports = ports;
    this.connection = new XmppConnection(socket, {
      clock: ports.clock,
      longest: LONGEST,
      mostUnsent: MOST_UNSENT,
      header: () => componentHeader("", this.#id),
      listener: {
        header: (header) => this.#open(header),
        element: (element) => this.#take(element),
        ended: (because) => ports.onEnded(because, this),
      },
    });
    void this.#limit();
  }

  /** The hostname that it serves. */
  get hostname(): string {
    return this.#hostname;
  }

  get isActive(): boolean {
    return this.#isActive && !this.connection.signal.aborted;
  }

  async #limit(): Promise<void> {
    await this.#ports.clock.sleep(OPEN_WITHIN, this.connection.signal);
    if (!this.#isActive && !this.connection.signal.aborted) this.connection.fail("connection-timeout");
  }

  #open(header: StreamHeader): void {
    this.#hostname = parseDomain(header.to ?? "") ?? "";
    this.connection.send(componentHeader(header.to ?? "", this.#id));
    if (header.namespace !== STREAMS || header.content !== COMPONENT)
      return this.connection.fail("invalid-namespace");
    if (!this.#ports.serves(this.#hostname)) this.connection.fail("host-unknown");
  }

  #take(element: StreamElement): void {
    if (element.namespace === STREAMS) return this.connection.close("stream error of the component");
    if (element.namespace !== COMPONENT) return this.connection.fail("invalid-namespace");
    if (this.#isActive) return this.#ports.onStanza(element, this);
    if (element.local !== "handshake" || !this.#isSecret(element.text))
      return this.connection.fail("not-authorized");
    this.#isActive = true;
    this.connection.send("<handshake/>");
    this.#ports.onActive(this);
  }

  /** XEP-0114 §3: the hash of stream id and secret. */
  #isSecret(given: string): boolean {
    const expected = createHash("sha1")
      .update(this.#id + this.#ports.secret)
      .digest("hex");
    const bytes = Buffer.from(given.trim().toLowerCase());
    return bytes.length === expected.length && timingSafeEqual(bytes, Buffer.from(expected));
  }
}

const componentHeader = (hostname: string, id: string): string =>
  `<?xml version='1.0'?><stream:stream xmlns='${COMPONENT}' xmlns:stream='${STREAMS}' xmlns:db='${DIALBACK}' from='${escapeAttribute(hostname)}' id='${id}'>`;
