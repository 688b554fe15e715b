import { COMMANDS } from "./ad-hoc/command.ts";
import { type ElementRole, roleBelow } from "./element-role.ts";
import { PublishReader, wantsTextAt } from "./publish-reader.ts";
import { type QueryName, type QueryPayload, type Stanza, type StanzaError, UNSUPPORTED } from "./stanza.ts";
import { type XmlSink } from "@reveille/xml";
import { type StartTag } from "@reveille/xml";

/** Hears what comes in on a component stream. */
export interface StreamListener {
  /** The front has opened its stream, with this id (XEP-0114 §3). */
  readonly opened: (streamId: string) => void;
  /** The front has accepted our handshake. */
  readonly accepted: () => void;
  /** A stream error by its condition (RFC 6120 §4.9.3); the front closes the stream. */
  readonly failed: (condition: string) => void;
  readonly stanza: (stanza: Stanza) => void;
}

/** A stanza with more characters or deeper elements is answered, but not believed. */
export interface StanzaLimits {
  readonly length: number;
  readonly depth: number;
}

const QUERIES = new Map<string, QueryName>([
  ["query http://jabber.org/protocol/disco#info", "disco-info"],
  ["query http://jabber.org/protocol/disco#items", "disco-items"],
  ["query jabber:iq:version", "version"],
  ["ping urn:xmpp:ping", "ping"],
  [`command ${COMMANDS}`, "command"],
]);

type Head = Pick<Stanza, "name" | "type" | "id" | "from" | "to">;

/** Turns elements into stanzas, keeping of each only what `Stanza` holds. */
export class StreamReader implements XmlSink {
  wantsText = false;
  readonly #listener: StreamListener;
  readonly #limits: StanzaLimits;
  readonly #publish = new PublishReader();
  readonly #roles: ElementRole[] = [];
  #depth = 0;
  #deepest = 0;
  #start = 0;
  #head: Head | undefined;
  #query: QueryPayload | undefined;
  #error: StanzaError | undefined;
  #inError = false;
  #condition: string | undefined;

  constructor(listener: StreamListener, limits: StanzaLimits) {
    this.#listener = listener;
    this.#limits = limits;
  }

  opened(tag: StartTag, offset: number): void {
    this.#depth += 1;
    this.#deepest = Math.max(this.#deepest, this.#depth);
    if (this.#depth > this.#limits.depth) return;
    const parent = this.#depth === 1 ? undefined : (this.#roles[this.#depth - 1] ?? "elsewhere");
    const role = parent === undefined ? "stream" : this.#publish.opened(roleBelow(parent, tag), tag);
    this.#roles[this.#depth] = role;
    this.wantsText = wantsTextAt(role);
    if (this.#depth === 1) this.#listener.opened(tag.value("id") ?? "");
    else if (this.#depth === 2) this.#begin(tag, offset);
    else if (this.#depth === 3) this.#child(tag);
    else if (this.#depth === 4 && this.#inError) this.#errorChild(tag);
  }

  text(piece: string): void {
    this.#publish.text(piece);
  }

  closed(offset: number): void {
    const role = this.#depth > this.#limits.depth ? "elsewhere" : (this.#roles[this.#depth] ?? "elsewhere");
    this.#publish.closed(role);
    this.wantsText = false;
    if (this.#depth === 2) this.#end(role, offset);
    this.#depth -= 1;
  }

  #begin(tag: StartTag, offset: number): void {
    this.#start = offset;
    this.#deepest = 2;
    this.#head = {
      name: stanzaName(tag.local),
      type: tag.value("type"),
      id: tag.value("id"),
      from: tag.value("from"),
      to: tag.value("to"),
    };
  }

  #child(tag: StartTag): void {
    if (tag.local !== "text") this.#condition ??= tag.local;
    this.#inError = tag.local === "error" && this.#error === undefined;
    if (this.#inError) this.#error = { type: tag.value("type"), condition: undefined };
    if (this.#query !== undefined) return;
    const query = QUERIES.get(`${tag.local} ${tag.namespace}`);
    this.#query =
      query === undefined
        ? UNSUPPORTED
        : { kind: "query", query, node: tag.value("node"), action: tag.value("action") };
  }

  #errorChild(tag: StartTag): void {
    if (tag.local === "text" || this.#error?.condition !== undefined) return;
    this.#error = { type: this.#error?.type, condition: tag.local };
  }

  #end(role: ElementRole, offset: number): void {
    const head = this.#head;
    const condition = this.#condition ?? "undefined-condition";
    const payload = this.#publish.take() ?? this.#query ?? UNSUPPORTED;
    const error = this.#error;
    this.#head = undefined;
    this.#query = undefined;
    this.#condition = undefined;
    this.#error = undefined;
    this.#inError = false;
    if (role === "handshake") return this.#listener.accepted();
    if (role === "stream-error") return this.#listener.failed(condition);
    if (head === undefined) return;
    const excessive = offset - this.#start > this.#limits.length || this.#deepest > this.#limits.depth;
    this.#listener.stanza({ ...head, payload, error, excessive });
  }
}

function stanzaName(local: string): Stanza["name"] {
  return local === "iq" || local === "message" || local === "presence" ? local : "other";
}
