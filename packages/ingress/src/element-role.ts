import { type StartTag } from "@reveille/xml";

/** Where in a stream an element stands, as far as it matters to us. */
export type ElementRole =
  | "stream"
  | "stream-error"
  | "handshake"
  | "iq"
  | "pubsub"
  | "publish"
  | "item"
  | "notification"
  | "summary"
  | "body-field"
  | "body"
  | "sender-field"
  | "sender"
  | "priority"
  | "encrypted"
  | "payload"
  | "options"
  | "options-form"
  | "module-field"
  | "module"
  | "elsewhere";

export const STREAMS = "http://etherx.jabber.org/streams";
const COMPONENT = "jabber:component:accept";
const PUBSUB = "http://jabber.org/protocol/pubsub";
const PUSH = "urn:xmpp:push:0";
const DATA_FORM = "jabber:x:data";
const ENCRYPTED = "tigase:push:encrypt:0";
const PRIORITY = "tigase:push:priority:0";

/**
 * Where a child of `parent` stands. Forms need no type and no FORM_TYPE, since servers pass on what clients
 * made of them; a summary may stand directly below `<publish/>` (Prosody of 2015).
 */
export function roleBelow(parent: ElementRole, tag: StartTag): ElementRole {
  switch (parent) {
    case "stream":
      return topLevel(tag);
    case "iq":
      return is(tag, "pubsub", PUBSUB) ? "pubsub" : "elsewhere";
    case "pubsub":
      if (is(tag, "publish", PUBSUB)) return "publish";
      return is(tag, "publish-options", PUBSUB) ? "options" : "elsewhere";
    case "publish":
      return is(tag, "item", PUBSUB) ? "item" : belowItem(tag);
    case "item":
      return belowItem(tag);
    case "notification":
      return belowNotification(tag);
    case "summary":
      return summaryField(tag);
    case "options":
      return is(tag, "x", DATA_FORM) ? "options-form" : "elsewhere";
    case "options-form":
      return is(tag, "field", DATA_FORM) && tag.value("var") === "pushModule" ? "module-field" : "elsewhere";
    case "body-field":
      return is(tag, "value", DATA_FORM) ? "body" : "elsewhere";
    case "sender-field":
      return is(tag, "value", DATA_FORM) ? "sender" : "elsewhere";
    case "module-field":
      return is(tag, "value", DATA_FORM) ? "module" : "elsewhere";
    case "stream-error":
    case "handshake":
    case "body":
    case "sender":
    case "priority":
    case "encrypted":
    case "payload":
    case "module":
    case "elsewhere":
      return "elsewhere";
  }
}

const is = (tag: StartTag, local: string, namespace: string): boolean =>
  tag.local === local && tag.namespace === namespace;

function topLevel(tag: StartTag): ElementRole {
  if (tag.local === "iq") return "iq";
  if (is(tag, "handshake", COMPONENT)) return "handshake";
  return is(tag, "error", STREAMS) ? "stream-error" : "elsewhere";
}

function belowItem(tag: StartTag): ElementRole {
  if (is(tag, "notification", PUSH)) return "notification";
  return is(tag, "x", DATA_FORM) ? "summary" : "elsewhere";
}

function belowNotification(tag: StartTag): ElementRole {
  if (is(tag, "x", DATA_FORM)) return "summary";
  if (is(tag, "priority", PRIORITY)) return "priority";
  if (is(tag, "payload", PUSH)) return "payload";
  return is(tag, "encrypted", ENCRYPTED) ? "encrypted" : "elsewhere";
}

function summaryField(tag: StartTag): ElementRole {
  if (!is(tag, "field", DATA_FORM)) return "elsewhere";
  switch (tag.value("var")) {
    case "last-message-body":
      return "body-field";
    case "last-message-sender":
    case "message-sender":
      return "sender-field";
    case undefined:
    default:
      return "elsewhere";
  }
}
