import { noSuchNodeStanza, type IqAddress, resultStanza, unsupportedStanza } from "./reply.ts";
import { type QueryPayload } from "./stanza.ts";
import { escapeAttribute } from "./xml/escape.ts";

const INFO = "http://jabber.org/protocol/disco#info";
const ITEMS = "http://jabber.org/protocol/disco#items";

/** XEP-0357 §4.2 asks for the identity; we are the publishing half of a XEP-0060 service, without nodes. */
const FEATURES = [
  INFO,
  ITEMS,
  "http://jabber.org/protocol/pubsub#publish",
  "http://jabber.org/protocol/pubsub#publish-options",
  "http://jabber.org/protocol/pubsub#publish-only-affiliation",
  "jabber:iq:version",
  "urn:xmpp:ping",
  "urn:xmpp:push:0",
];

const IDENTITY = "<identity category='pubsub' type='push' name='Reveille'/>";
const DISCO_INFO = `<query xmlns='${INFO}'>${IDENTITY}${FEATURES.map((name) => `<feature var='${name}'/>`).join("")}</query>`;

/** The stanza that answers an IQ which is no publish; queries of type `set` are unsupported. */
export function answerQuery(
  address: IqAddress,
  { query, node }: Pick<QueryPayload, "query" | "node">,
  version: string,
): string {
  switch (query) {
    case "disco-info":
      return node === undefined ? resultStanza(address, DISCO_INFO) : noSuchNodeStanza(address);
    case "disco-items":
      return node === undefined
        ? resultStanza(address, `<query xmlns='${ITEMS}'/>`)
        : noSuchNodeStanza(address);
    case "ping":
      return resultStanza(address, "");
    case "version":
      return resultStanza(address, versionXml(version));
    case "unsupported":
      return unsupportedStanza(address);
  }
}

const versionXml = (version: string): string =>
  `<query xmlns='jabber:iq:version'><name>Reveille</name><version>${escapeAttribute(version)}</version></query>`;
