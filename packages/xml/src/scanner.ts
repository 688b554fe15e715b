import {
  AMPERSAND,
  BANG,
  type CodeUnits,
  endOfName,
  endOfSpace,
  GREATER,
  isForbidden,
  LESS,
  QUESTION,
  settledEnd,
  SLASH,
} from "./characters.ts";
import { Namespaces } from "./namespaces.ts";
import { FAULTY, INCOMPLETE, readAttribute } from "./read-attribute.ts";
import { resolveReferences } from "./references.ts";
import { StartTag } from "./start-tag.ts";
import { Utf16 } from "./utf-16.ts";

/** Why a stream cannot be read on; named as the stream errors of RFC 6120 §4.9.3. */
export type XmlFault = "not-well-formed" | "restricted-xml" | "policy-violation";

/** Hears what the scanner reads. */
export interface XmlSink {
  /** Whether text is wanted now; other text is checked and dropped without becoming a string. */
  readonly wantsText: boolean;
  /** `tag` is valid during the call only. */
  readonly opened: (tag: StartTag, offset: number) => void;
  /** A piece of text; there may be several in a row. */
  readonly text: (piece: string) => void;
  readonly closed: (offset: number) => void;
}

const CDATA = "<![CDATA[";
const DECLARATION =
  /^<\?xml\s+version\s*=\s*(?:'1\.0'|"1\.0")(?:\s+encoding\s*=\s*(?:'utf-8'|"utf-8"))?\s*\?>$/i;

/** Names of open elements are kept down to this depth; below it they are counted only. */
const NAMED_DEPTH = 64;

/** Longer than any stanza a front lets through, since a longer tag ends the stream for everybody. */
const MAX_TAG_LENGTH = 1 << 20;

/**
 * A strict, incremental XML scanner for one XMPP stream (RFC 6120 §11): no comments, processing instructions
 * or DTDs, no references but the predefined and numeric ones. It keeps nothing but the names of open elements
 * and the unfinished token at the end of a chunk, and never throws.
 */
export class XmlScanner {
  readonly #sink: XmlSink;
  readonly #tag = new StartTag();
  readonly #namespaces = new Namespaces();
  readonly #open: string[] = [];
  #depth = 0;
  #ended = false;
  #text = "";
  readonly #units = new Utf16();
  /** Those of `#text`. */
  #codes: CodeUnits = new Uint16Array();
  /** Whether `#text` begins with an unfinished tag. */
  #inTag = false;
  /** Characters of the stream before `#text`. */
  #before = 0;
  #fault: XmlFault | undefined;

  constructor(sink: XmlSink) {
    this.#sink = sink;
  }

  /** Elements that are open now. */
  get depth(): number {
    return this.#depth;
  }

  /** Whether the root element has ended; what follows is ignored. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Reads on. After a fault, and after the end of the root element, all text is ignored. */
  write(chunk: string): XmlFault | undefined {
    if (this.#ended || this.#fault !== undefined) return this.#fault;
    this.#text += chunk;
    // A tag that began in an earlier chunk is read again from its start, so only when it may be complete.
    if (this.#inTag && !chunk.includes(">")) return this.#bound();
    this.#codes = this.#units.of(this.#text);
    let at = 0;
    while (at < this.#text.length && !this.#ended) {
      const next = this.#codes[at] === LESS ? this.#markup(at) : this.#characters(at);
      if (next === INCOMPLETE || next === at) break;
      if (next === FAULTY) return this.#stop(this.#fault ?? "not-well-formed");
      at = next;
    }
    return this.#keep(at);
  }

  /** From a `<` to the end of that tag or section. */
  #markup(at: number): number {
    const text = this.#text;
    if (at + 1 === text.length) return INCOMPLETE;
    switch (this.#codes[at + 1] ?? 0) {
      case SLASH:
        return this.#endTag(at);
      case BANG:
        return this.#section(at);
      case QUESTION:
        return this.#declaration(at);
      default:
        return this.#startTag(at);
    }
  }

  #startTag(from: number): number {
    const text = this.#text;
    const codes = this.#codes;
    const end = text.length;
    let at = endOfName(codes, from + 1, end);
    if (at === from + 1) return FAULTY;
    this.#tag.begin(text.slice(from + 1, at));
    for (;;) {
      const gap = at;
      at = endOfSpace(codes, gap, end);
      if (at === end) return INCOMPLETE;
      const code = codes[at];
      if (code === GREATER) return this.#opened(from, at + 1, false);
      if (code === SLASH) {
        if (at + 1 === end) return INCOMPLETE;
        return codes[at + 1] === GREATER ? this.#opened(from, at + 2, true) : FAULTY;
      }
      if (at === gap) return FAULTY;
      at = readAttribute(text, codes, at, this.#tag);
      if (at < 0) return at;
    }
  }

  #opened(from: number, end: number, isEmpty: boolean): number {
    this.#depth += 1;
    this.#namespaces.enter(this.#tag, this.#depth);
    if (this.#depth < NAMED_DEPTH) this.#open[this.#depth] = this.#tag.name;
    this.#sink.opened(this.#tag, this.#before + from);
    return isEmpty ? this.#closed(end) : end;
  }

  #closed(end: number): number {
    this.#namespaces.leave(this.#depth);
    // A kept name would keep the chunk that it is a part of.
    if (this.#depth < NAMED_DEPTH) this.#open[this.#depth] = "";
    this.#depth -= 1;
    this.#ended = this.#depth === 0;
    this.#sink.closed(this.#before + end);
    return end;
  }

  #endTag(from: number): number {
    const text = this.#text;
    const nameEnd = endOfName(this.#codes, from + 2, text.length);
    const end = endOfSpace(this.#codes, nameEnd, text.length);
    if (end === text.length) return INCOMPLETE;
    if (nameEnd === from + 2 || this.#codes[end] !== GREATER || this.#depth === 0) return FAULTY;
    if (this.#depth < NAMED_DEPTH) {
      const name = this.#open[this.#depth] ?? "";
      if (name.length !== nameEnd - from - 2 || !text.startsWith(name, from + 2)) return FAULTY;
    }
    return this.#closed(end + 1);
  }

  /** A CDATA section; comments and document types end the stream (RFC 6120 §11.1). */
  #section(from: number): number {
    const text = this.#text;
    const opening = text.slice(from, from + CDATA.length);
    if (!CDATA.startsWith(opening)) return this.#refuse("restricted-xml");
    const end = text.indexOf("]]>", from + CDATA.length);
    if (end === -1) return INCOMPLETE;
    if (this.#depth === 0) return FAULTY;
    for (let at = from; at < end; at += 1) if (isForbidden(this.#codes[at] ?? 0)) return FAULTY;
    if (this.#sink.wantsText) {
      this.#sink.text(text.slice(from + CDATA.length, end).replaceAll(/\r\n?/g, "\n"));
    }
    return end + 3;
  }

  /** The XML declaration, at the very start of the stream only. */
  #declaration(from: number): number {
    if (this.#before + from > 0) return this.#refuse("restricted-xml");
    const text = this.#text;
    const end = text.indexOf("?>");
    if (end === -1) return INCOMPLETE;
    return DECLARATION.test(text.slice(0, end + 2)) ? end + 2 : this.#refuse("restricted-xml");
  }

  #characters(from: number): number {
    const text = this.#text;
    const next = text.indexOf("<", from);
    const end = next === -1 ? settledEnd(text, from, text.length) : next;
    if (end === from) return from;
    const isSound = this.#depth === 0 ? endOfSpace(this.#codes, from, end) === end : this.#isSound(from, end);
    if (!isSound) return FAULTY;
    if (this.#sink.wantsText) {
      const piece = resolveReferences(text.slice(from, end).replaceAll(/\r\n?/g, "\n"));
      if (piece === undefined) return FAULTY;
      this.#sink.text(piece);
    }
    return end;
  }

  /** Whether text between tags has legal characters and references only. */
  #isSound(from: number, end: number): boolean {
    const text = this.#text;
    for (let at = from; at < end; at += 1) {
      const code = this.#codes[at] ?? 0;
      if (isForbidden(code)) return false;
      if (code === GREATER && at >= from + 2 && text.startsWith("]]", at - 2)) return false;
      if (code === AMPERSAND) {
        const semicolon = text.indexOf(";", at);
        if (semicolon === -1 || semicolon >= end) return false;
        if (resolveReferences(text.slice(at, semicolon + 1)) === undefined) return false;
        at = semicolon;
      }
    }
    return true;
  }

  #refuse(fault: XmlFault): number {
    this.#fault = fault;
    return FAULTY;
  }

  #keep(from: number): XmlFault | undefined {
    this.#units.forget();
    this.#before += from;
    this.#text = this.#ended ? "" : this.#text.slice(from);
    this.#inTag = this.#text.startsWith("<");
    this.#tag.forget();
    return this.#bound();
  }

  #bound(): XmlFault | undefined {
    return this.#text.length > MAX_TAG_LENGTH ? this.#stop("policy-violation") : undefined;
  }

  #stop(fault: XmlFault): XmlFault {
    this.#units.forget();
    this.#fault = fault;
    this.#text = "";
    this.#tag.forget();
    return fault;
  }
}
