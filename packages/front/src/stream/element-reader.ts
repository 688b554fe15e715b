import { detached } from "@reveille/wakeup";
import { type StartTag, type XmlFault, XmlScanner, type XmlSink } from "@reveille/xml";

import { hasBoundNames } from "./has-bound-names.ts";

/** The attributes of a stream header that matter (RFC 6120 §4.7). */
export interface StreamHeader {
  /** Of the root element; empty if it is no `<stream/>`. */
  readonly namespace: string;
  /** The default namespace, of stanzas. */
  readonly content: string | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly id: string | undefined;
  readonly version: string | undefined;
  /** Declarations that stanzas may rely on and that our own headers do not make; none in a usual header. */
  readonly prefixes: ReadonlyMap<string, string>;
}

/** A child of the stream: a stanza, or an element of the negotiation. */
export interface StreamElement {
  readonly local: string;
  readonly namespace: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** For elements that are no stanza: what is below, outermost first, each with its text. */
  readonly parts: readonly ElementPart[];
  /** Of an element that is no stanza: its own text. */
  readonly text: string;
  /**
   * The whole element as written, without declarations of the stream; `undefined` if it was longer than allowed, or has
   * names that are not bound to a namespace.
   */
  readonly xml: string | undefined;
  /** Length of its start tag there. */
  readonly tagLength: number;
}

export interface ElementPart {
  readonly local: string;
  readonly namespace: string;
  text: string;
}

export interface ElementSink {
  readonly header: (header: StreamHeader) => void;
  readonly element: (element: StreamElement) => void;
}

/** RFC 6120 §8. */
export const STANZAS: ReadonlySet<string> = new Set(["iq", "message", "presence"]);
/** Enough for the features of any server; an element with more parts is cut short. */
const MAX_PARTS = 64;
const MAX_TEXT = 4_096;
/** Prefixes that our own stream headers declare, with the same meaning. */
const OWN_PREFIXES = new Map([
  ["xmlns:stream", "http://etherx.jabber.org/streams"],
  ["xmlns:db", "jabber:server:dialback"],
]);

/**
 * Cuts an XMPP stream into the children of its root. A stanza is passed on as the text it was written in; of other
 * elements the parts are read. Keeps one unfinished element, `longest` characters of it at most: a longer one is
 * reported without its text, and the stream goes on.
 */
export class ElementReader implements XmlSink {
  wantsText = false;
  /** Longest element that is kept, in characters; may change between elements. */
  longest: number;
  readonly #sink: ElementSink;
  readonly #scanner = new XmlScanner(this);
  readonly #namespaceOf = (prefix: string): string => this.#scanner.namespaceOf(prefix);
  /** The text of the stream from `#from` on. */
  #kept = "";
  #from = 0;
  #depth = 0;
  #start = -1;
  #isStanza = false;
  /** Its text is not wanted: it is too long, or has faulty names. */
  #isUnfit = false;
  #tagLength = 0;
  #local = "";
  #namespace = "";
  #attributes = new Map<string, string>();
  #parts: ElementPart[] = [];
  #text = "";

  constructor(sink: ElementSink, longest: number) {
    this.#sink = sink;
    this.longest = longest;
  }

  /** Whether the other side has closed its stream. */
  get ended(): boolean {
    return this.#scanner.ended;
  }

  /** Characters of unfinished elements that are kept. */
  get kept(): number {
    return this.#kept.length;
  }

  write(chunk: string): XmlFault | undefined {
    this.#kept += chunk;
    const fault = this.#scanner.write(chunk);
    this.#forget();
    return fault;
  }

  opened(tag: StartTag, from: number, to: number): void {
    this.#depth += 1;
    if (this.#depth === 1) this.#sink.header(headerOf(tag));
    else if (this.#depth === 2) this.#begin(tag, from);
    else if (!this.#isStanza) this.#part(tag);
    if (this.#depth === 2) this.#tagLength = to - from;
    if (this.#depth > 1 && (to - this.#start > this.longest || !hasBoundNames(tag, this.#namespaceOf)))
      this.#isUnfit = true;
  }

  text(piece: string): void {
    const part = this.#parts.at(-1);
    if (this.#depth === 2) this.#text = (this.#text + piece).slice(0, MAX_TEXT);
    else if (part !== undefined) part.text = (part.text + piece).slice(0, MAX_TEXT);
  }

  closed(offset: number): void {
    if (this.#depth === 2) this.#end(offset);
    this.#depth -= 1;
  }

  #begin(tag: StartTag, from: number): void {
    this.#start = from;
    this.#isUnfit = false;
    this.#local = tag.local;
    this.#namespace = tag.namespace;
    this.#isStanza = STANZAS.has(tag.name);
    this.wantsText = !this.#isStanza;
    for (let index = 0; index < tag.attributes; index += 1) {
      const name = tag.nameAt(index);
      this.#attributes.set(name, tag.value(name) ?? "");
    }
  }

  #part({ local, namespace }: StartTag): void {
    if (this.#parts.length < MAX_PARTS) this.#parts.push({ local, namespace, text: "" });
  }

  #end(offset: number): void {
    const isKept = !this.#isUnfit && this.#start >= this.#from && offset - this.#start <= this.longest;
    const element: StreamElement = {
      local: this.#local,
      namespace: this.#namespace,
      attributes: this.#attributes,
      parts: this.#parts,
      text: this.#text,
      tagLength: this.#tagLength,
      xml: isKept ? this.#kept.slice(this.#start - this.#from, offset - this.#from) : undefined,
    };
    this.#start = -1;
    this.#isUnfit = false;
    this.#attributes = new Map();
    this.#parts = [];
    this.#text = "";
    this.wantsText = false;
    this.#sink.element(element);
  }

  /** Lets go of what is behind us: of the text only what an unfinished element needs stays, `longest` characters at most. */
  #forget(): void {
    const read = this.#from + this.#kept.length;
    if (this.#start >= 0 && read - this.#start > this.longest) this.#isUnfit = true;
    const needed = this.#start >= 0 && !this.#isUnfit ? this.#start : this.#scanner.position;
    // A tag that is too long by itself is read by the scanner, and not kept here.
    const from = Math.max(this.#from, read - needed > this.longest ? read : needed);
    if (from === this.#from) return;
    this.#kept = this.#kept.slice(from - this.#from);
    this.#from = from;
  }
}

function headerOf(tag: StartTag): StreamHeader {
  const prefixes = new Map<string, string>();
  for (let index = 0; index < tag.attributes; index += 1) {
    const name = tag.nameAt(index);
    const value = tag.value(name) ?? "";
    if (name.startsWith("xmlns:") && OWN_PREFIXES.get(name) !== value)
      prefixes.set(detached(name), detached(value));
  }
  // A header outlives the stanzas that came in one piece with it.
  const valueOf = (name: string): string | undefined => {
    const value = tag.value(name);
    return value === undefined ? undefined : detached(value);
  };
  return {
    namespace: tag.local === "stream" ? detached(tag.namespace) : "",
    content: valueOf("xmlns"),
    from: valueOf("from"),
    to: valueOf("to"),
    id: valueOf("id"),
    version: valueOf("version"),
    prefixes,
  };
}
