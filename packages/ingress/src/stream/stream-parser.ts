import { EventEmitter } from "node:events";

import { type XmlFault, XmlScanner } from "@reveille/xml";
import { type Parser, xml } from "@xmpp/component-core";

import { STREAMS } from "../element-role.ts";
import { type Stanza } from "../stanza.ts";
import { type StanzaLimits, StreamReader } from "../stream-reader.ts";

/** What ends a stream when it is read: it is no XML of a stream, or a fault of ours. `message` is the condition. */
export class StreamFault extends Error {
  readonly condition: XmlFault | "internal-server-error";

  constructor(condition: XmlFault | "internal-server-error", cause?: unknown) {
    super(condition, { cause });
    this.name = "StreamFault";
    this.condition = condition;
  }
}

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

  /** Emits `error` with a `StreamFault`; never throws. */
  write(text: string): void {
    const fault = this.#scan(text);
    if (fault !== undefined) this.emit("error", fault);
    else if (this.#scanner.ended) this.emit("end");
  }

  #scan(text: string): StreamFault | undefined {
    try {
      const fault = this.#scanner.write(text);
      return fault === undefined ? undefined : new StreamFault(fault);
    } catch (error) {
      // A mistake of ours may not end the process: this runs in a socket's handler.
      return new StreamFault("internal-server-error", error);
    }
  }
}
