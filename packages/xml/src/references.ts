import { isForbidden } from "./characters.ts";

const PREDEFINED = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["apos", "'"],
  ["quot", '"'],
]);

const REFERENCE = /&(?:#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))|([a-z]{2,4}));/gy;

/**
 * Text with its references resolved; `undefined` if one of them is neither predefined nor a legal character
 * (RFC 6120 §11.1 forbids all others).
 */
export function resolveReferences(text: string): string | undefined {
  let resolved = "";
  let at = 0;
  for (;;) {
    const next = text.indexOf("&", at);
    if (next === -1) return resolved + text.slice(at);
    REFERENCE.lastIndex = next;
    const [whole, hex, decimal, name] = REFERENCE.exec(text) ?? [];
    if (whole === undefined) return undefined;
    const character = name === undefined ? characterOf(hex, decimal) : PREDEFINED.get(name);
    if (character === undefined) return undefined;
    resolved += text.slice(at, next) + character;
    at = next + whole.length;
  }
}

function characterOf(hex: string | undefined, decimal: string | undefined): string | undefined {
  const code = hex === undefined ? Number.parseInt(decimal ?? "", 10) : Number.parseInt(hex, 16);
  const isLegal =
    code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) && (code > 0xffff || !isForbidden(code));
  return isLegal ? String.fromCodePoint(code) : undefined;
}
