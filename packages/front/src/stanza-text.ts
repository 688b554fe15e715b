import { escapeAttribute } from "@reveille/xml";

import { type StreamElement } from "./stream/element-reader.ts";
import { STANZA_ERRORS } from "./stream/namespaces.ts";

const ENDS_NAME = /[\s/>]/;

/**
 * A stanza as text for another stream: as it was written, but for its start tag if that has declarations that mean
 * something else there. `prefixes` are declarations of its old stream that the new one does not have. `undefined` if the
 * stanza was too long to be kept.
 */
export function textFor(element: StreamElement, prefixes?: ReadonlyMap<string, string>): string | undefined {
  const { xml, attributes, local, tagLength } = element;
  const isPlain = (prefixes?.size ?? 0) === 0 && !attributes.has("xmlns");
  const isUnprefixed =
    xml !== undefined && xml.startsWith(local, 1) && ENDS_NAME.test(xml[1 + local.length] ?? "");
  if (xml === undefined || (isPlain && isUnprefixed)) return xml;
  const all = new Map([...(prefixes ?? []), ...attributes]);
  all.delete("xmlns");
  let tag = `<${local}`;
  for (const [name, value] of all) tag += ` ${name}='${escapeAttribute(value)}'`;
  const isEmpty = xml.charCodeAt(tagLength - 2) === 0x2f;
  return isEmpty ? `${tag}/>` : `${tag}>${xml.slice(tagLength, xml.lastIndexOf("<"))}</${local}>`;
}

/** Addresses of a stanza that is answered. */
export interface Addresses {
  readonly id: string | undefined;
  readonly from: string;
  readonly to: string;
}

/** An error of type `wait`: the sender keeps its registration and publishes again with the next message. */
export function waitError({ id, from, to }: Addresses, condition: string, text: string): string {
  return `${reply("error", { id, from, to })}><error type='wait'><${condition} xmlns='${STANZA_ERRORS}'/><text xmlns='${STANZA_ERRORS}'>${text}</text></error></iq>`;
}

/** An error of type `cancel`, as a server gives it that finds no way to `to` (RFC 6120 §8.3.3.16). */
export const notFoundError = (addresses: Addresses): string =>
  `${reply("error", addresses)}><error type='cancel'><remote-server-not-found xmlns='${STANZA_ERRORS}'/></error></iq>`;

export const emptyResult = (addresses: Addresses): string => `${reply("result", addresses)}/>`;

/** The beginning of a reply: it comes from where the request went. */
function reply(type: string, { id, from, to }: Addresses): string {
  const identity = id === undefined ? "" : ` id='${escapeAttribute(id)}'`;
  return `<iq type='${type}'${identity} from='${escapeAttribute(to)}' to='${escapeAttribute(from)}'`;
}
