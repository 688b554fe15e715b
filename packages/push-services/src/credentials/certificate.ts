import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { Duplex } from "node:stream";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";

import { decodeText, type EpochMillis, epochMillis } from "@reveille/wakeup";

import { hasBlock, pemIn, unquoted } from "./pem.ts";

/** A client certificate with its key, in the form `node:tls` takes. */
export interface Certificate {
  readonly tls:
    | { readonly pfx: Buffer; readonly passphrase: string }
    | { readonly cert: Buffer; readonly key: Buffer; readonly passphrase: string };
  readonly expiresAt: EpochMillis;
  /** What Apple has issued it for; neither: it does not say. */
  readonly issuedFor: { readonly sandbox: boolean; readonly production: boolean };
}

/** Apple's certificate extensions 1.2.840.113635.100.6.3.1 (sandbox) and .2 (production), in DER. */
const SANDBOX = Buffer.from("060a2a864886f76364060301", "hex");
const PRODUCTION = Buffer.from("060a2a864886f76364060302", "hex");

const CONVERT = "openssl pkcs12 -legacy -in OLD.p12 -nodes | openssl pkcs12 -export -out NEW.p12";

/** The first line of a file, and what of it may be the passphrase, should an editor have added blanks or quotes. */
export function passphrasesIn(content: Buffer): readonly string[] {
  const [line = ""] = decodeText(content).split(/\r?\n/, 1);
  return [...new Set([line, line.trim(), unquoted(line)])];
}

/**
 * Reads PEM, DER, or a `.p12` as Keychain exports it; the first passphrase that opens the key counts. Throws an Error that
 * says what is wrong with the content, never what it is.
 */
export function certificateIn(cert: Buffer, key: Buffer, passphrases: readonly string[]): Certificate {
  if (cert.length === 0) throw new Error("is empty");
  const pem = pemIn(cert);
  const read = (passphrase: string): Certificate =>
    pem === undefined
      ? certificateOfP12(bytesOf(cert), passphrase)
      : certificateOfPem(pem, key === cert ? pem : (pemIn(key) ?? ""), passphrase);
  const [first = "", ...others] = passphrases;
  for (const passphrase of others) {
    try {
      return read(passphrase);
    } catch {
      // The line as it is has the better reason.
    }
  }
  return read(first);
}

/** A `.p12` may have come in base64. */
function bytesOf(content: Buffer): Buffer {
  const decoded = Buffer.from(unquoted(decodeText(content)), "base64");
  return content[0] !== 0x30 && decoded[0] === 0x30 ? decoded : content;
}

function certificateOfPem(certPem: string, keyPem: string, passphrase: string): Certificate {
  const certificate = x509Of(certPem);
  if (!hasBlock(keyPem, "PRIVATE KEY")) {
    throw new Error("comes without its private key: no PEM block ends in PRIVATE KEY, here or in keyFile");
  }
  if (!certificate.checkPrivateKey(privateKeyOf(keyPem, passphrase))) {
    throw new Error("certificate and key do not belong together");
  }
  const [cert, key] = [Buffer.from(certPem), Buffer.from(keyPem)];
  return { tls: { cert, key, passphrase }, ...factsOf(certificate) };
}

function certificateOfP12(pfx: Buffer, passphrase: string): Certificate {
  return { tls: { pfx, passphrase }, ...factsOf(ownCertificate(contextOf(pfx, passphrase))) };
}

function factsOf({ validToDate, raw }: X509Certificate): Pick<Certificate, "expiresAt" | "issuedFor"> {
  return {
    expiresAt: epochMillis(validToDate.getTime()),
    issuedFor: { sandbox: raw.includes(SANDBOX), production: raw.includes(PRODUCTION) },
  };
}

function x509Of(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new Error("holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
  }
}

function privateKeyOf(pem: string, passphrase: string): KeyObject {
  try {
    return createPrivateKey({ key: pem, passphrase });
  } catch {
    throw new Error(
      passphrase === ""
        ? "has a private key that cannot be opened without a passphrase: name its file in passphraseFile"
        : "has a private key that cannot be opened: its passphrase is another one",
    );
  }
}

function contextOf(pfx: Buffer, passphrase: string): SecureContext {
  try {
    return createSecureContext({ pfx, passphrase });
  } catch (cause) {
    throw new Error(whyNoP12(cause), { cause });
  }
}

/** OpenSSL's own messages: "mac verify failure", "Unsupported PKCS12 PFX data", "wrong tag". */
function whyNoP12(error: unknown): string {
  const message = error instanceof Error ? error.message : "";
  if (message.includes("private key from PFX")) {
    return "is a .p12 with a certificate and without its private key; export both from Keychain";
  }
  if (message.includes("certificate from PFX")) {
    return "is a .p12 with a private key and without its certificate; export both from Keychain";
  }
  if (message.includes("mac verify")) return "cannot be opened: its passphrase is another one";
  if (!message.startsWith("Unsupported")) return "is neither a .p12 nor a PEM file";
  return `is encrypted with a cipher that OpenSSL no longer has (RC2); convert it with: ${CONVERT}`;
}

/** Node gives the certificate in a `.p12` away only as the own certificate of a socket; no handshake needed. */
function ownCertificate(secureContext: SecureContext): X509Certificate {
  const nowhere = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  const socket = new TLSSocket(nowhere, { secureContext });
  try {
    const certificate = socket.getCertificate();
    if (certificate === null || !("raw" in certificate)) throw new Error("holds no certificate");
    return new X509Certificate(certificate.raw);
  } finally {
    socket.destroy();
  }
}
