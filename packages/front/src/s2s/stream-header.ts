import { randomBytes } from "node:crypto";

import { escapeAttribute } from "@reveille/xml";

import { DIALBACK, SERVER, STREAMS } from "../stream/namespaces.ts";

/** The header of a stream between servers (RFC 6120 §4.7), the answer to one if it has an `id`. */
export function s2sHeader(names: {
  readonly from?: string;
  readonly to?: string;
  readonly id?: string;
}): string {
  const attributes = Object.entries(names)
    .map(([name, value]) => ` ${name}='${escapeAttribute(value)}'`)
    .join("");
  return `<?xml version='1.0'?><stream:stream xmlns='${SERVER}' xmlns:stream='${STREAMS}' xmlns:db='${DIALBACK}'${attributes} version='1.0' xml:lang='en'>`;
}

/** Not to be guessed (RFC 6120 §4.7.3). */
export const newStreamId = (): string => randomBytes(16).toString("hex");
