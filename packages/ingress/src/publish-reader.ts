import { type ElementRole } from "./element-role.ts";
import { type PublishPayload } from "./stanza.ts";
import { type StartTag } from "@reveille/xml";

/** Bodies that servers send in place of the message: Prosody, ejabberd, Openfire, ejabberd for OMEMO. */
const CONSTANT_BODIES = new Set(["New Message!", "New message", "New Message", "(encrypted)"]);

/** No value we compare is longer; of longer text the rest is dropped. */
const LONGEST_VALUE = 128;

/** Gathers what we keep of one publish, element by element. */
export class PublishReader {
  #publishes = 0;
  #items = 0;
  #node: string | undefined;
  #module: string | undefined;
  #urgent = false;
  #inClear = false;
  #text = "";

  /** An element at `role` begins; gives the role that it has: a repetition has none. */
  opened(role: ElementRole, tag: StartTag): ElementRole {
    this.#text = "";
    if (role === "publish") {
      this.#publishes += 1;
      if (this.#publishes > 1) return "elsewhere";
      this.#node = tag.value("node");
    }
    if (role === "item") {
      this.#items += 1;
      if (this.#items > 1) return "elsewhere";
    }
    // The whole message (Prosody of 2017).
    if (role === "payload") this.#inClear = true;
    if (role === "encrypted" && tag.value("type") === "voip") this.#urgent = true;
    return role;
  }

  text(piece: string): void {
    if (this.#text.length < LONGEST_VALUE) this.#text += piece.slice(0, LONGEST_VALUE);
  }

  closed(role: ElementRole): void {
    const text = this.#text;
    this.#text = "";
    if (text === "") return;
    if (role === "module") this.#module ??= text.trim();
    if (role === "priority" && text.trim() === "high") this.#urgent = true;
    if (role === "sender") this.#inClear = true;
    if (role === "body") {
      this.#urgent = true;
      if (!CONSTANT_BODIES.has(text)) this.#inClear = true;
    }
  }

  /** What was gathered, which is forgotten here; `undefined` if there was no `<publish/>`. */
  take(): PublishPayload | undefined {
    const payload: PublishPayload = {
      kind: "publish",
      node: this.#node,
      module: this.#module,
      urgent: this.#urgent,
      inClear: this.#inClear,
    };
    const isPublish = this.#publishes > 0;
    this.#publishes = 0;
    this.#items = 0;
    this.#node = undefined;
    this.#module = undefined;
    this.#urgent = false;
    this.#inClear = false;
    return isPublish ? payload : undefined;
  }
}

/** Whether text at `role` is worth a string. */
export const wantsTextAt = (role: ElementRole): boolean =>
  role === "body" || role === "sender" || role === "module" || role === "priority";
