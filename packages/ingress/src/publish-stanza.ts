import { type PushModule } from "@reveille/wakeup";

import { escapeAttribute } from "@reveille/xml";

/** One publish to a region's hostname. */
export interface PublishToSend {
  /** The hostname. */
  readonly to: string;
  /** A device token, or anything that shall be taken for none. */
  readonly node: string;
  /** Absent: the one the region takes for those who name none. */
  readonly module?: PushModule | undefined;
}

const FORM = "jabber:x:data";
const PUBSUB = "http://jabber.org/protocol/pubsub";

/**
 * A publish as a user's server sends it (XEP-0357 §7), urgent and without content: its body is the text that Prosody
 * has for every message.
 */
export function publishStanza(id: string, from: string, { to, node, module }: PublishToSend): string {
  const addresses = `id='${escapeAttribute(id)}' from='${escapeAttribute(from)}' to='${escapeAttribute(to)}'`;
  const summary =
    hidden("urn:xmpp:push:summary") +
    field("message-count", "1") +
    field("last-message-body", "New Message!");
  const options =
    module === undefined
      ? ""
      : `<publish-options>${form(hidden(`${PUBSUB}#publish-options`) + field("pushModule", module))}</publish-options>`;
  return (
    `<iq type='set' ${addresses}><pubsub xmlns='${PUBSUB}'><publish node='${escapeAttribute(node)}'><item>` +
    `<notification xmlns='urn:xmpp:push:0'>${form(summary)}</notification></item></publish>${options}</pubsub></iq>`
  );
}

const form = (fields: string): string => `<x xmlns='${FORM}' type='submit'>${fields}</x>`;
const hidden = (type: string): string =>
  `<field var='FORM_TYPE' type='hidden'><value>${type}</value></field>`;
const field = (name: string, value: string): string => `<field var='${name}'><value>${value}</value></field>`;
