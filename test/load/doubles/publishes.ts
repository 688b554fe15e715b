import { randomBytes } from "node:crypto";

import { chanceAt, INDEX_DIGITS, makeChance, TOKEN_DIGITS } from "../tokens.ts";

/** An id ends with the index, as a token does. */
const ID_DIGITS = 64;
const SLOTS = 64;
const HEX = Buffer.from("0123456789abcdef");

export interface PublishSettings {
  /** The hostname of the region: who the publishes are sent to. */
  readonly domain: string;
  readonly module: string;
  /** Hex digits all ids of this sender begin with. */
  readonly mark: string;
}

/**
 * Writes publishes as Prosody's mod_cloud_notify does, byte for byte (an important stanza, default settings),
 * each with a token and an id of its own and from one of 64 domains. Most bytes are laid out beforehand, so
 * that the sender costs little beside what it measures.
 */
export class PublishWriter {
  readonly #template: Buffer;
  readonly #length: number;
  readonly #tokenAt: number;
  readonly #chance = makeChance();

  constructor(settings: PublishSettings) {
    const stanzas = Array.from({ length: SLOTS }, (_, slot) => Buffer.from(stanzaOf(settings, slot)));
    this.#template = Buffer.concat(stanzas);
    this.#length = this.#template.length / SLOTS;
    this.#tokenAt = this.#template.indexOf("node='") + "node='".length;
  }

  /** The publishes `first` to `first + count - 1`, in one buffer. */
  write(first: number, count: number): Buffer {
    const publishes = Buffer.allocUnsafe(count * this.#length);
    for (let done = 0; done < count; done += SLOTS) {
      this.#template.copy(publishes, done * this.#length, 0, Math.min(SLOTS, count - done) * this.#length);
    }
    for (let position = 0; position < count; position += 1) {
      this.#fill(publishes, position * this.#length, first + position);
    }
    return publishes;
  }

  #fill(publishes: Buffer, at: number, index: number): void {
    const random = chanceAt(index);
    const token = at + this.#tokenAt;
    this.#chance.copy(publishes, token, random, random + TOKEN_DIGITS - INDEX_DIGITS);
    writeIndex(publishes, token + TOKEN_DIGITS - INDEX_DIGITS, index);
    writeIndex(publishes, at + "<iq id='".length + ID_DIGITS - INDEX_DIGITS, index);
  }
}

function writeIndex(target: Buffer, at: number, index: number): void {
  for (let digit = 0; digit < INDEX_DIGITS; digit += 1) {
    target[at + digit] = HEX[(index >>> (4 * (INDEX_DIGITS - 1 - digit))) & 15] ?? 0;
  }
}

// XEP-0357 §7 as mod_cloud_notify of Prosody 0.12 and trunk sends it.
function stanzaOf({ domain, module, mark }: PublishSettings, slot: number): string {
  const id = (mark + randomBytes(ID_DIGITS / 2).toString("hex")).slice(0, ID_DIGITS);
  const token = "0".repeat(TOKEN_DIGITS);
  const from = `s${String(slot).padStart(2, "0")}.example`;
  return (
    `<iq id='${id}' to='${domain}' type='set' from='${from}'>` +
    `<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='${token}'><item>` +
    `<notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data' type='form'>` +
    `<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:push:summary</value></field>` +
    `<field var='message-count' type='text-single'><value>1</value></field>` +
    `<field var='pending-subscription-count' type='text-single'/>` +
    `<field var='last-message-sender' type='jid-single'/>` +
    `<field var='last-message-body' type='text-single'><value>New Message!</value></field>` +
    `</x></notification></item></publish><publish-options><x xmlns='jabber:x:data' type='submit'>` +
    `<field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#publish-options</value></field>` +
    `<field var='pushModule'><value>${module}</value></field></x></publish-options></pubsub></iq>`
  );
}
