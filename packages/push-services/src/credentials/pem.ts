import { createPrivateKey, X509Certificate } from "node:crypto";

import { decodeText } from "@reveille/wakeup";

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g;
const BASE64 = /^[A-Za-z0-9+/=\s]{64,}$/;

/**
 * The PEM text in a file as it comes out of mail clients, editors, web forms and secret stores: with a byte order mark, in
 * UTF-16, between quotes, with `\n` in letters, in one line, with blanks at ends of lines, in base64 once more, or as DER.
 * `undefined` if there is none.
 */
export function pemIn(content: Buffer): string | undefined {
  const text = unquoted(decodeText(content)).replaceAll(/\\r|\\n/g, "\n");
  const blocks = [...text.matchAll(BLOCK)].map(([, label = "", body = ""]) => blockOf(label, body));
  if (blocks.length > 0) return blocks.join("");
  const decoded = BASE64.test(text) ? Buffer.from(text, "base64") : undefined;
  return decoded === undefined ? pemOfDer(content) : (pemIn(decoded) ?? pemOfDer(decoded));
}

/** What is left without the quotes and blanks around it. */
export const unquoted = (text: string): string =>
  text
    .trim()
    .replace(/^(["'])([\s\S]*)\1$/, "$2")
    .trim();

/** Whether a PEM text has a block whose label ends so, e.g. `PRIVATE KEY`. */
export const hasBlock = (pem: string, label: string): boolean => pem.includes(`${label}-----\n`);

function blockOf(label: string, body: string): string {
  const lines = body.split(/\r?\n/).map((line) => line.trim());
  // Headers of old encrypted keys (RFC 1421) are lines of their own.
  const headers = lines.filter((line) => line.includes(":"));
  const base64 = lines
    .filter((line) => !line.includes(":"))
    .join("")
    .replaceAll(/\s/g, "");
  const wrapped = base64.match(/.{1,64}/g) ?? [];
  const parts = [...headers, ...(headers.length > 0 ? [""] : []), ...wrapped];
  return `-----BEGIN ${label}-----\n${parts.join("\n")}\n-----END ${label}-----\n`;
}

function pemOfDer(der: Buffer): string | undefined {
  // A SEQUENCE, as keys and certificates are.
  if (der[0] !== 0x30) return undefined;
  for (const type of ["pkcs8", "sec1", "pkcs1"] as const) {
    try {
      return createPrivateKey({ key: der, format: "der", type })
        .export({ type: "pkcs8", format: "pem" })
        .toString();
    } catch {
      // Not in this form.
    }
  }
  try {
    return new X509Certificate(der).toString();
  } catch {
    // A .p12, or nothing of ours.
    return undefined;
  }
}
