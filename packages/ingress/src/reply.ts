import { type PublishResult, type ReplyKind } from "@reveille/wakeup";

import { escapeAttribute } from "@reveille/xml";

/** The addresses of an IQ as received, which its reply must repeat exactly. */
export interface IqAddress {
  readonly id: string;
  readonly from: string;
  readonly to: string;
}

interface Answer {
  readonly reply: ReplyKind;
  /** All of the reply that follows its addresses. */
  readonly tail: string;
}

const ACCEPTED: Answer = { reply: "accepted", tail: "/>" };

/** Keeps the registration on every server: `wait`, with a condition that Tigase takes for temporary. */
const later = (
  condition: "remote-server-timeout" | "service-unavailable" | "bad-request",
  text: string,
): Answer => ({ reply: "later", tail: errorTail("wait", condition, text) });

/** Ends the registration: at once on ejabberd, MongooseIM and Tigase, the 16th time on Prosody 0.12; never on Prosody 13.0. */
const forget = (condition: "item-not-found" | "not-allowed", text: string): Answer => ({
  reply: "forget",
  tail: errorTail("cancel", condition, text),
});

/**
 * The reply contract: what the sender of a publish hears in each case (XEP-0357 §7.1). No server repeats a
 * publish, and all but Openfire drop the registration on the wrong error, so each line is held in tests
 * against what these servers do.
 */
export const REPLIES: Readonly<Record<PublishResult, Answer>> = {
  queued: ACCEPTED,
  later: ACCEPTED,
  merged: ACCEPTED,
  "token-dead": forget("item-not-found", "The device token is no longer valid."),
  "no-device-token": forget("item-not-found", "The node is no device token."),
  "unknown-module": forget("item-not-found", "The push module is not served here."),
  "module-changed": later("remote-server-timeout", "The push module is not served here at present."),
  malformed: later("bad-request", "The publish could not be read, see XEP-0357."),
  "over-limit": later("service-unavailable", "Too many publishes from this domain."),
  "over-budget": later(
    "service-unavailable",
    "Too many publishes from this domain to devices not seen before.",
  ),
  blocked: forget("not-allowed", "This domain may not publish here."),
  "not-a-server": forget("not-allowed", "Only servers may publish here."),
  overload: later("remote-server-timeout", "The push service is overloaded."),
  draining: later("remote-server-timeout", "The push service is restarting."),
  "our-trouble": later("remote-server-timeout", "The push service is unavailable."),
};

/** In place of a reply that ends a registration while the registration guard doubts our own settings. */
export const DOUBTED: Answer = later("remote-server-timeout", "The push service is being checked.");

const UNSUPPORTED = errorTail("cancel", "service-unavailable", "Only push notifications are served here.");
const UNKNOWN_ACTION = errorTail("cancel", "bad-request", "This action is not offered.");
const BUSY = errorTail("wait", "service-unavailable", "Too many queries from this domain.");
const NO_SUCH_NODE = errorTail("cancel", "item-not-found", "There is no such node.");

/** The stanza that answers a publish. */
export function replyStanza(address: IqAddress, answer: Answer): string {
  return head(address, answer.reply === "accepted" ? "result" : "error") + answer.tail;
}

/** A result with `child`, which must be XML. */
export const resultStanza = (address: IqAddress, child: string): string =>
  child === "" ? `${head(address, "result")}/>` : `${head(address, "result")}>${child}</iq>`;

export const unsupportedStanza = (address: IqAddress): string => head(address, "error") + UNSUPPORTED;

/** For a query of a domain that asks too much. */
export const busyStanza = (address: IqAddress): string => head(address, "error") + BUSY;

/** For a command (XEP-0050 §3.5). */
export const unknownActionStanza = (address: IqAddress): string => head(address, "error") + UNKNOWN_ACTION;

export const noSuchNodeStanza = (address: IqAddress): string => head(address, "error") + NO_SUCH_NODE;

function head({ id, from, to }: IqAddress, type: "result" | "error"): string {
  return `<iq type='${type}' id='${escapeAttribute(id)}' from='${escapeAttribute(to)}' to='${escapeAttribute(from)}'`;
}

/** The condition stands first, since Tigase reads the first child. */
function errorTail(type: "wait" | "cancel", condition: string, text: string): string {
  const namespace = "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'";
  return `><error type='${type}'><${condition} ${namespace}/><text ${namespace} xml:lang='en'>${text}</text></error></iq>`;
}
