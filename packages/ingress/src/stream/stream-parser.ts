import { EventEmitter } from "node:events";

import { type XmlFault, XmlScanner } from "@reveille/xml";
import { type Parser, xml } from "@xmpp/component-core";

import { STREAMS } from "../element-role.ts";
import { type Stanza } from "../stanza.ts";
import { type StanzaLimits, StreamReader } from "../stream-reader.ts";

/**
 * Our scanner in the form of the library's `Parser`. Only what belongs to the stream itself becomes an element: its start, the
 * accepted handshake, a stream error. A stanza goes to `onStanza` without ever being one.
 */
export class StreamParser extends EventEmitter implements Parser {
  readonly #scanner: XmlScanner;

  constructor(onStanza: (stanza: Stanza) => void, limits: StanzaLimits) {
    super();
    const reader = new StreamReader(
      {
        opened: (id) => this.emit("start", xml("stream:stream", { id })),
        accepted: () => this.emit("element", xml("handshake")),
        failed: (condition) =>
          this.emit("element", xml("stream:error", { "xmlns:stream": STREAMS }, xml(condition))),
        stanza: onStanza,
      },
      limits,
    );
    this.#scanner = new XmlScanner(reader, limits.length);
  }

  /** Emits `error`, whose message is the condition (RFC 6120 §4.9.3), for what cannot be read; never throws. */
  write(text: string): void {
    const fault = this.#scan(text);
    if (fault !== undefined) this.emit("error", new Error(fault));
    else if (this.#scanner.ended) this.emit("end");
  }

  #scan(text: string): XmlFault | "internal-server-error" | undefined {
    try {
      return this.#scanner.write(text);
    } catch {
      // A mistake of ours may not end the process: this runs in a socket's handler.
      return "internal-server-error";
    }
  }
}
