import { type Place } from "./places.ts";
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

  /** An element at `place` begins; answers where it counts as standing: repetitions stand elsewhere. */
  opened(place: Place, tag: StartTag): Place {
    this.#text = "";
    if (place === "publish") {
      this.#publishes += 1;
      if (this.#publishes > 1) return "elsewhere";
      this.#node = tag.value("node");
    }
    if (place === "item") {
      this.#items += 1;
      if (this.#items > 1) return "elsewhere";
    }
    // The whole message (Prosody of 2017).
    if (place === "payload") this.#inClear = true;
    if (place === "encrypted" && tag.value("type") === "voip") this.#urgent = true;
    return place;
  }

  text(piece: string): void {
    if (this.#text.length < LONGEST_VALUE) this.#text += piece.slice(0, LONGEST_VALUE);
  }

  closed(place: Place): void {
    const text = this.#text;
    this.#text = "";
    if (text === "") return;
    if (place === "module") this.#module ??= text.trim();
    if (place === "priority" && text.trim() === "high") this.#urgent = true;
    if (place === "sender") this.#inClear = true;
    if (place === "body") {
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

/** Whether text at `place` is worth a string. */
export const wantsTextAt = (place: Place): boolean =>
  place === "body" || place === "sender" || place === "module" || place === "priority";
