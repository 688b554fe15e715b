import { ACCEPTED } from "../load-loop.ts";
import { indexOf } from "../tokens.ts";

const NEXT_TAG = "<iq";
const END_TAG = "</iq>";

export interface ReplyListener {
  /** `answer`: `accepted`, or type and condition of the error, e.g. `wait/bad-request`. */
  readonly replied: (index: number, answer: string) => void;
  /** Any other IQ, which a front routes to where it is addressed. */
  readonly other: (stanza: Buffer) => void;
}

/**
 * Reads what a component writes: finds the start tags of IQs and takes id and type from them. No XML parser;
 * it knows the component's own output and is to cost next to nothing.
 */
export class ReplyReader {
  readonly #mark: string;
  readonly #listener: ReplyListener;
  #rest = "";

  /** `mark`: what all ids of the sender begin with. */
  constructor(mark: string, listener: ReplyListener) {
    this.#mark = mark;
    this.#listener = listener;
  }

  read(chunk: Buffer): void {
    const text = this.#rest + chunk.toString("latin1");
    let at = 0;
    for (;;) {
      const start = text.indexOf(NEXT_TAG, at);
      const end = start === -1 ? -1 : this.#readStanza(text, start);
      if (end === -1) {
        this.#rest =
          start === -1 ? text.slice(Math.max(at, text.length - NEXT_TAG.length + 1)) : text.slice(start);
        return;
      }
      at = end;
    }
  }

  /** Where the stanza that begins at `start` ends; -1 if it isn't all there. */
  #readStanza(text: string, start: number): number {
    const tagEnd = text.indexOf(">", start) + 1;
    if (tagEnd === 0) return -1;
    const id = attributeOf(text, " id=", start, tagEnd);
    const type = attributeOf(text, " type=", start, tagEnd);
    const isReply = id.startsWith(this.#mark) && (type === "result" || type === "error");
    if (isReply && type === "result") {
      this.#listener.replied(indexOf(id), ACCEPTED);
      return tagEnd;
    }
    const end = text[tagEnd - 2] === "/" ? tagEnd : text.indexOf(END_TAG, tagEnd) + END_TAG.length;
    if (end < tagEnd) return -1;
    const stanza = text.slice(start, end);
    if (isReply) this.#listener.replied(indexOf(id), errorOf(stanza));
    else this.#listener.other(Buffer.from(stanza, "latin1"));
    return end;
  }
}

function attributeOf(text: string, name: string, from: number, before: number): string {
  const at = text.indexOf(name, from);
  if (at === -1 || at >= before) return "";
  const value = at + name.length + 1;
  const quote = text[value - 1];
  return quote === undefined ? "" : text.slice(value, text.indexOf(quote, value));
}

function errorOf(stanza: string): string {
  const type = /<error[^>]* type=['"]([a-z]+)/.exec(stanza)?.[1];
  const condition = /<([a-z-]+)[^>]* xmlns=['"]urn:ietf:params:xml:ns:xmpp-stanzas/.exec(stanza)?.[1];
  return `${type ?? "?"}/${condition ?? "?"}`;
}
