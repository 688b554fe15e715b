import { domainToASCII, domainToUnicode } from "node:url";

import { type Brand } from "@reveille/wakeup";

/** A sending domain as XMPP writes it: lower case, Unicode rather than Punycode, no dot at its end. */
export type DomainName = Brand<string, "DomainName">;

/** Letters, digits and marks of any script in labels of at most 63; nothing that a terminal would obey. */
const NAME_SHAPE = /^(?=.{1,253}$)[\p{L}\p{N}\p{M}_-]{1,63}(?:\.[\p{L}\p{N}\p{M}_-]{1,63})*$/u;

const isDomainName = (text: string): text is DomainName => NAME_SHAPE.test(text);

/** Any text gives a domain or `undefined`, never an exception. */
export function parseDomainName(text: string): DomainName | undefined {
  const written = text.replace(/\.$/, "");
  if (!isDomainName(written)) return undefined;
  const name = domainToUnicode(domainToASCII(written));
  return isDomainName(name) ? name : undefined;
}

/** What a rule is about: a domain and all below it, or `*.` and a domain for those below it only. */
export type DomainPattern = Brand<string, "DomainPattern">;

const isDomainPattern = (text: string): text is DomainPattern =>
  isDomainName(text.startsWith("*.") ? text.slice(2) : text);

/** Any text gives a pattern or `undefined`, never an exception. */
export function parseDomainPattern(text: string): DomainPattern | undefined {
  const wild = text.startsWith("*.");
  const name = parseDomainName(wild ? text.slice(2) : text);
  const pattern = wild ? `*.${name ?? ""}` : (name ?? "");
  return isDomainPattern(pattern) ? pattern : undefined;
}

/** Nothing to change: no capital, nothing but ASCII, no Punycode, no dot at the end. */
const IS_LOOKUP_FORM = /^(?!.*xn--)[a-z0-9._-]*[a-z0-9_-]$/;

/** The form under which rules are looked up; cheap for most, since each publish of a limited region comes by. */
export const lookupForm = (sender: string): string =>
  IS_LOOKUP_FORM.test(sender) ? sender : (parseDomainName(sender) ?? sender.toLowerCase());
