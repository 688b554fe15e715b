import { randomUUID } from "node:crypto";

import { type IqAddress, noSuchNodeStanza, resultStanza, unknownActionStanza } from "../reply.ts";
import { escapeAttribute } from "@reveille/xml";

/** Namespace of ad-hoc commands (XEP-0050), and the disco node of their list. */
export const COMMANDS = "http://jabber.org/protocol/commands";

/** Node of the one command there is. */
export const STATUS_NODE = "status";

const STATUS_NAME = "Push notifications of your domain";
const INFO = "http://jabber.org/protocol/disco#info";
const ITEMS = "http://jabber.org/protocol/disco#items";

/** `<command/>` as asked for. */
export interface Command {
  readonly node: string | undefined;
  readonly action: string | undefined;
}

/**
 * The stanza that answers an IQ with a command. Ours has one stage and needs no session: `next` and `complete`, which
 * clients may ask of any, do what `execute` does. `form` makes its answer.
 */
export async function answerCommand(
  address: IqAddress,
  { node, action }: Command,
  form: () => Promise<string>,
): Promise<string> {
  if (node !== STATUS_NODE) return noSuchNodeStanza(address);
  switch (action) {
    case undefined:
    case "execute":
    case "next":
    case "complete":
      return resultStanza(address, commandXml("completed", await form()));
    case "cancel":
      return resultStanza(address, commandXml("canceled", ""));
    default:
      return unknownActionStanza(address);
  }
}

const commandXml = (status: "completed" | "canceled", child: string): string =>
  `<command xmlns='${COMMANDS}' node='${STATUS_NODE}' sessionid='${randomUUID()}' status='${status}'>${child}</command>`;

/** What disco#info says of a node of ours (XEP-0050 §2.3); `undefined` for others. */
export function commandInfo(node: string): string | undefined {
  switch (node) {
    case COMMANDS:
      return `<query xmlns='${INFO}' node='${node}'><identity category='automation' type='command-list' name='Commands'/></query>`;
    case STATUS_NODE:
      return (
        `<query xmlns='${INFO}' node='${node}'><identity category='automation' type='command-node' name='${STATUS_NAME}'/>` +
        `<feature var='${COMMANDS}'/><feature var='jabber:x:data'/></query>`
      );
    default:
      return undefined;
  }
}

/** What disco#items lists below a node of ours, for those who asked our address `jid`; `undefined` for others. */
export function commandItems(node: string, jid: string): string | undefined {
  if (node !== COMMANDS) return undefined;
  const item = `<item jid='${escapeAttribute(jid)}' node='${STATUS_NODE}' name='${STATUS_NAME}'/>`;
  return `<query xmlns='${ITEMS}' node='${COMMANDS}'>${item}</query>`;
}
