/** What a test publish says; whatever is left out, the stanza lacks as well. */
export interface PublishParts {
  readonly to?: string;
  readonly from?: string;
  readonly id: string;
  readonly node?: string;
  readonly module?: string;
  /** A body value makes the publish urgent. */
  readonly body?: string;
  readonly sender?: string;
}

const FORM = "jabber:x:data";
const PUBSUB = "http://jabber.org/protocol/pubsub";

/** A publish as Prosody 0.12's mod_cloud_notify writes it, attribute for attribute. */
export function aPublish(parts: PublishParts): string {
  const { to = "push.localhost", from = "server.localhost", id, node, module } = parts;
  const nodeAttribute = node === undefined ? "" : ` node='${escape(node)}'`;
  const options =
    module === undefined
      ? ""
      : `<publish-options><x xmlns='${FORM}' type='submit'>${field("FORM_TYPE", "hidden", `${PUBSUB}#publish-options`)}` +
        `<field var='pushModule'><value>${escape(module)}</value></field></x></publish-options>`;
  return (
    `<iq id='${escape(id)}' to='${escape(to)}' type='set' from='${escape(from)}'><pubsub xmlns='${PUBSUB}'>` +
    `<publish${nodeAttribute}><item><notification xmlns='urn:xmpp:push:0'><x xmlns='${FORM}' type='form'>` +
    field("FORM_TYPE", "hidden", "urn:xmpp:push:summary") +
    field("message-count", "text-single", "1") +
    field("pending-subscription-count", "text-single") +
    field("last-message-sender", "jid-single", parts.sender) +
    field("last-message-body", "text-single", parts.body) +
    `</x></notification></item></publish>${options}</pubsub></iq>`
  );
}

function field(name: string, type: string, value?: string): string {
  if (value === undefined) return `<field var='${name}' type='${type}'/>`;
  return `<field var='${name}' type='${type}'><value>${escape(value)}</value></field>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "<": "&lt;",
  ">": "&gt;",
  "&": "&amp;",
  "'": "&apos;",
  '"': "&quot;",
};

const escape = (text: string): string =>
  text.replaceAll(/[<>&'"]/g, (character) => ENTITIES[character] ?? "");
