import { answerCommand, commandInfo, commandItems, COMMANDS } from "./ad-hoc/command.ts";
import { noSuchNodeStanza, type IqAddress, resultStanza, unsupportedStanza } from "./reply.ts";
import { type QueryPayload } from "./stanza.ts";
import { escapeAttribute } from "@reveille/xml";

const INFO = "http://jabber.org/protocol/disco#info";
const ITEMS = "http://jabber.org/protocol/disco#items";

/** XEP-0357 §4.2 asks for the identity; we are the publishing half of a XEP-0060 service, without nodes. */
const FEATURES = [
  INFO,
  ITEMS,
  COMMANDS,
  "http://jabber.org/protocol/pubsub#publish",
  "http://jabber.org/protocol/pubsub#publish-options",
  "http://jabber.org/protocol/pubsub#publish-only-affiliation",
  "jabber:iq:version",
  "urn:xmpp:ping",
  "urn:xmpp:push:0",
];

const IDENTITY = "<identity category='pubsub' type='push' name='Reveille'/>";
const DISCO_INFO = `<query xmlns='${INFO}'>${IDENTITY}${FEATURES.map((name) => `<feature var='${name}'/>`).join("")}</query>`;
const NO_ITEMS = `<query xmlns='${ITEMS}'/>`;

/** What answers tell besides what is always the same. */
export interface QueryFacts {
  readonly version: string;
  /** The form (XEP-0004) that answers the command `status`, for who asks from the address `from`. */
  readonly statusForm: (from: string) => Promise<string>;
}

/** The stanza that answers an IQ which is no publish. Never rejects. */
export async function answerQuery(
  address: IqAddress,
  { query, node, action }: Omit<QueryPayload, "kind">,
  { version, statusForm }: QueryFacts,
): Promise<string> {
  switch (query) {
    case "disco-info":
      return aboutNode(address, node === undefined ? DISCO_INFO : commandInfo(node));
    case "disco-items":
      return aboutNode(address, node === undefined ? NO_ITEMS : commandItems(node, address.to));
    case "command":
      return answerCommand(address, { node, action }, async () => statusForm(address.from));
    case "ping":
      return resultStanza(address, "");
    case "version":
      return resultStanza(address, versionXml(version));
    case "unsupported":
      return unsupportedStanza(address);
  }
}

const aboutNode = (address: IqAddress, child: string | undefined): string =>
  child === undefined ? noSuchNodeStanza(address) : resultStanza(address, child);

const versionXml = (version: string): string =>
  `<query xmlns='jabber:iq:version'><name>Reveille</name><version>${escapeAttribute(version)}</version></query>`;
