import {
  BANG,
  type CodeUnits,
  endOfName,
  endOfSpace,
  FAULTY,
  GREATER,
  INCOMPLETE,
  isForbidden,
  LESS,
  QUESTION,
  SLASH,
} from "./characters.ts";
import { endOfDeclaration } from "./declaration.ts";
import { Namespaces } from "./namespaces.ts";
import { readAttribute } from "./read-attribute.ts";
import { resolveReferences } from "./references.ts";
import { StartTag } from "./start-tag.ts";
import { TagEnd } from "./tag-end.ts";
import { isSoundText, settledCdataEnd, settledEnd } from "./text.ts";
import { Utf16 } from "./utf-16.ts";

/** Why a stream cannot be read on; named as the stream errors of RFC 6120 §4.9.3. */
export type XmlFault = "not-well-formed" | "restricted-xml";

/** Hears what the scanner reads. */
export interface XmlSink {
  /** Whether text is wanted now; other text is checked and dropped without becoming a string. */
  readonly wantsText: boolean;
  /**
   * `tag` is valid during the call only. Of a tag that is too long it has the attributes which end within the
   * first `longestTag` characters.
   */
  readonly opened: (tag: StartTag, from: number, to: number) => void;
  /** A piece of text; there may be several in a row. */
  readonly text: (piece: string) => void;
  readonly closed: (offset: number) => void;
}

const CDATA = "<![CDATA[";
const CDATA_END = "]]>";

/** Names of open elements are kept down to this depth; below it they are counted only. */
const NAMED_DEPTH = 64;

/** More than any tag of a publish has. */
const LONGEST_TAG = 65_536;

/** Of a name that takes a larger share of the longest tag only is kept that it is too long. */
const NAME_SHARE = 1 / 8;

/**
 * A strict, incremental XML scanner for one XMPP stream (RFC 6120 §11): no comments, processing instructions
 * or DTDs, no references but the predefined and numeric ones. It never throws.
 *
 * It keeps the names of open elements and, of a tag that is unfinished at the end of a chunk, up to `longestTag`
 * characters. The rest of a longer one is checked and skipped, for a fault would end the stream for everybody. What
 * is read depends in nothing on how the text is cut into chunks, and takes time in proportion to its length.
 */
export class XmlScanner {
  readonly #sink: XmlSink;
  readonly #longestTag: number;
  readonly #longestName: number;
  readonly #tag = new StartTag();
  readonly #tagEnd = new TagEnd();
  readonly #namespaces = new Namespaces();
  readonly #open: string[] = [];
  #depth = 0;
  #ended = false;
  #text = "";
  readonly #units = new Utf16();
  /** Those of `#text`. */
  #codes: CodeUnits = new Uint16Array();
  #inCdata = false;
  /** Characters that have come of an unfinished tag, with which `#text` begins; 0 outside of one. */
  #tagLength = 0;
  /** Characters of the stream before `#text`. */
  #before = 0;
  #fault: XmlFault | undefined;

  constructor(sink: XmlSink, longestTag = LONGEST_TAG) {
    this.#sink = sink;
    this.#longestTag = longestTag;
    this.#longestName = longestTag * NAME_SHARE;
  }

  /** Elements that are open now. */
  get depth(): number {
    return this.#depth;
  }

  /** Characters of the stream that have been read to the end of a tag or a piece of text. */
  get position(): number {
    return this.#before;
  }

  /** What a prefix stands for in the tag that is being told of; empty if it is not bound. */
  namespaceOf(prefix: string): string {
    return this.#namespaces.of(prefix);
  }

  /** Whether the root element has ended; what follows is ignored. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Reads on. After a fault, and after the end of the root element, all text is ignored. */
  write(chunk: string): XmlFault | undefined {
    if (this.#ended || this.#fault !== undefined) return this.#fault;
    const unread = this.#tagLength === 0 ? this.#text + chunk : this.#finishTag(chunk);
    if (unread === undefined) return this.#fault;
    this.#text = unread;
    this.#codes = this.#units.of(unread);
    let at = 0;
    while (at < unread.length && !this.#ended) {
      const next = this.#next(at);
      if (next === INCOMPLETE || next === at) break;
      if (next === FAULTY) return this.#stop(this.#fault ?? "not-well-formed");
      at = next;
    }
    return this.#keep(at);
  }

  /** Reads on in a tag that began in an earlier chunk; what is left to read, `undefined` if there is nothing. */
  #finishTag(chunk: string): string | undefined {
    const end = this.#tagEnd.find(this.#units.of(chunk), 0, chunk.length);
    this.#units.forget();
    if (end === FAULTY) return void this.#stop("not-well-formed");
    const length = this.#tagLength + (end === INCOMPLETE ? chunk.length : end);
    if (end !== INCOMPLETE && length <= this.#longestTag) {
      this.#tagLength = 0;
      return this.#text + chunk;
    }
    const room = this.#longestTag - this.#text.length;
    if (room > 0) this.#text += chunk.slice(0, Math.min(room, length - this.#tagLength));
    this.#tagLength = length;
    if (end === INCOMPLETE) return undefined;
    this.#codes = this.#units.of(this.#text);
    const read = this.#text[1] === "/" ? this.#endTag(0) : this.#startTag(0);
    if (read === FAULTY || this.#cutTag(0, length) === FAULTY) return void this.#stop("not-well-formed");
    this.#units.forget();
    this.#tagLength = 0;
    this.#before += length;
    return chunk.slice(end);
  }

  #next(at: number): number {
    if (this.#inCdata) return this.#cdata(at);
    return this.#codes[at] === LESS ? this.#markup(at) : this.#characters(at);
  }

  /** From a `<` to the end of that tag or section. */
  #markup(at: number): number {
    const text = this.#text;
    if (at + 1 === text.length) return INCOMPLETE;
    switch (this.#codes[at + 1] ?? 0) {
      case BANG:
        return this.#section(at);
      case QUESTION:
        return this.#declaration(at);
      case SLASH:
        return this.#orCut(at, this.#endTag(at));
      default:
        return this.#orCut(at, this.#startTag(at));
    }
  }

  /** `read`, or where the tag ends if not all of it could be read. */
  #orCut(from: number, read: number): number {
    if (read !== INCOMPLETE) return read;
    const { length } = this.#text;
    this.#tagEnd.begin();
    const end = this.#tagEnd.find(this.#codes, from, length);
    if (end === INCOMPLETE) this.#tagLength = length - from;
    return end < 0 ? end : this.#cutTag(from, end);
  }

  /** A tag that is longer than what is kept of one, which has been read. */
  #cutTag(from: number, end: number): number {
    if (this.#codes[from + 1] !== SLASH) return this.#opened(from, end, this.#tagEnd.isEmpty);
    const nameEnd = endOfName(this.#codes, from + 2, this.#limit(from));
    return this.#isOpen(from + 2, nameEnd) ? this.#closed(end) : FAULTY;
  }

  #limit(from: number): number {
    return Math.min(this.#text.length, from + this.#longestTag);
  }

  #startTag(from: number): number {
    const codes = this.#codes;
    const end = this.#limit(from);
    const source = { text: this.#text, codes, end };
    let at = endOfName(codes, from + 1, end);
    if (at === from + 1) return FAULTY;
    this.#tag.begin(at - from - 1 > this.#longestName ? "" : source.text.slice(from + 1, at));
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
      at = readAttribute(source, at, this.#tag);
      if (at < 0) return at;
    }
  }

  #opened(from: number, end: number, isEmpty: boolean): number {
    this.#depth += 1;
    this.#namespaces.enter(this.#tag, this.#depth);
    if (this.#depth < NAMED_DEPTH) this.#open[this.#depth] = this.#tag.name;
    this.#sink.opened(this.#tag, this.#before + from, this.#before + end);
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
    const limit = this.#limit(from);
    const nameEnd = endOfName(this.#codes, from + 2, limit);
    const end = endOfSpace(this.#codes, nameEnd, limit);
    if (end === limit) return INCOMPLETE;
    if (nameEnd === from + 2 || this.#codes[end] !== GREATER) return FAULTY;
    return this.#isOpen(from + 2, nameEnd) ? this.#closed(end + 1) : FAULTY;
  }

  /** Whether the innermost element has the name that is written from `from` to `end`. */
  #isOpen(from: number, end: number): boolean {
    if (this.#depth === 0) return false;
    if (this.#depth >= NAMED_DEPTH) return true;
    const name = this.#open[this.#depth] ?? "";
    if (name === "") return end - from > this.#longestName;
    return name.length === end - from && this.#text.startsWith(name, from);
  }

  /** The beginning of a CDATA section; comments and document types end the stream (RFC 6120 §11.1). */
  #section(from: number): number {
    const opening = this.#text.slice(from, from + CDATA.length);
    if (!CDATA.startsWith(opening)) return this.#refuse("restricted-xml");
    if (opening !== CDATA) return INCOMPLETE;
    if (this.#depth === 0) return FAULTY;
    this.#inCdata = true;
    return from + CDATA.length;
  }

  /** What has come of the content of a CDATA section. */
  #cdata(from: number): number {
    const text = this.#text;
    const close = text.indexOf(CDATA_END, from);
    const end = close === -1 ? settledCdataEnd(text, from) : close;
    for (let at = from; at < end; at += 1) if (isForbidden(this.#codes[at] ?? 0)) return FAULTY;
    if (this.#sink.wantsText) this.#sink.text(text.slice(from, end).replaceAll(/\r\n?/g, "\n"));
    if (close === -1) return end;
    this.#inCdata = false;
    return close + CDATA_END.length;
  }

  /** The XML declaration, at the very start of the stream only. */
  #declaration(from: number): number {
    if (this.#before + from > 0) return this.#refuse("restricted-xml");
    const end = endOfDeclaration(this.#text);
    return end === FAULTY ? this.#refuse("restricted-xml") : end;
  }

  #characters(from: number): number {
    const text = this.#text;
    const next = text.indexOf("<", from);
    const end = next === -1 ? settledEnd(text, from) : next;
    if (end === from) return from;
    const isSound =
      this.#depth === 0
        ? endOfSpace(this.#codes, from, end) === end
        : isSoundText(text, this.#codes, from, end);
    if (!isSound) return FAULTY;
    if (this.#sink.wantsText) {
      const piece = resolveReferences(text.slice(from, end).replaceAll(/\r\n?/g, "\n"));
      if (piece === undefined) return FAULTY;
      this.#sink.text(piece);
    }
    return end;
  }

  #refuse(fault: XmlFault): number {
    this.#fault = fault;
    return FAULTY;
  }

  #keep(from: number): undefined {
    this.#units.forget();
    this.#before += from;
    const kept = this.#tagLength === 0 ? this.#text.length : from + this.#longestTag;
    this.#text = this.#ended ? "" : this.#text.slice(from, kept);
    this.#tag.forget();
  }

  #stop(fault: XmlFault): XmlFault {
    this.#units.forget();
    this.#fault = fault;
    this.#text = "";
    this.#tag.forget();
    return fault;
  }
}
