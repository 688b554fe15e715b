export interface StanzaListener {
  /** The opening tag of the stream. */
  readonly onOpen: (header: string) => void;
  /** One whole child of the stream, as it stood on the wire. */
  readonly onStanza: (xml: string) => void;
}

/**
 * Cuts an XMPP stream into stanzas by counting tags. Enough for what a real server sends, which escapes every `<`
 * and `>` in text and attributes and knows neither comments nor CDATA (RFC 6120 §11.1); it validates nothing.
 */
export class StanzaSplitter {
  readonly #listener: StanzaListener;
  /** Text from the end of the last whole stanza on. */
  #pending = "";
  #open = false;

  constructor(listener: StanzaListener) {
    this.#listener = listener;
  }

  write(text: string): void {
    this.#pending += text;
    let stanzaFrom = 0;
    let depth = this.#open ? 1 : 0;
    for (const { 0: tag, index } of this.#pending.matchAll(/<[^>]*>/g)) {
      const tagEnd = index + tag.length;
      depth += depthChange(tag);
      if (depth > 1) continue;
      if (depth === 1 && this.#open) this.#listener.onStanza(this.#pending.slice(stanzaFrom, tagEnd).trim());
      if (depth === 1 && !this.#open) this.#listener.onOpen(tag);
      this.#open = depth === 1;
      stanzaFrom = tagEnd;
    }
    this.#pending = this.#pending.slice(stanzaFrom);
  }
}

function depthChange(tag: string): number {
  if (tag.startsWith("<?") || tag.endsWith("/>")) return 0;
  return tag.startsWith("</") ? -1 : 1;
}
