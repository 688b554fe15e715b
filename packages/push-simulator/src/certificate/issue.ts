import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";

import { daysFromNow } from "../clock.ts";
import { bits, der, octets, oid, sequence, setOf, tagged, time, unsigned, utf8, yes } from "./der.ts";

/** A private key and its certificate, both as PEM. */
export interface KeyAndCertificate {
  readonly key: string;
  readonly cert: string;
}

interface Subject {
  readonly commonName: string;
  /** Attribute UID: Apple puts the app's topic there. */
  readonly userId?: string;
}

/** A certificate authority of one run; its key exists in memory only. */
export interface Authority {
  /** Its certificate as PEM: what the other side must trust. */
  readonly cert: string;
  readonly issue: (subject: Subject, extensions: readonly Buffer[]) => KeyAndCertificate;
}

const ECDSA_WITH_SHA256 = sequence(oid("1.2.840.10045.4.3.2"));
const DAYS_VALID = 30;

/** An X.509 extension (RFC 5280 §4.1.2.9). */
export const extension = (id: string, value: Uint8Array, critical = false): Buffer =>
  critical ? sequence(oid(id), yes(), octets(value)) : sequence(oid(id), octets(value));

/** Extended key usage: `1` a TLS server, `2` a TLS client. */
export const extendedKeyUsage = (purpose: 1 | 2): Buffer =>
  extension("2.5.29.37", sequence(oid(`1.3.6.1.5.5.7.3.${purpose}`)));

/** The names and addresses a server's certificate is valid for. */
export const subjectNames = (names: readonly string[]): Buffer =>
  extension("2.5.29.17", sequence(...names.map(generalName)));

/** Makes a key (P-256) and a certificate for it that signs others. */
export function createAuthority(commonName: string): Authority {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const subject = { commonName };
  const usage = [
    extension("2.5.29.19", sequence(yes()), true),
    // keyCertSign and cRLSign
    extension("2.5.29.15", bits(Buffer.of(0x06), 1), true),
  ];
  const issuer = { subject, key: privateKey, publicKey };
  return {
    cert: certificate({ subject, publicKey, extensions: usage }, issuer),
    issue: (leaf, extensions) => {
      const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
      return {
        key: pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
        cert: certificate({ subject: leaf, publicKey: pair.publicKey, extensions }, issuer),
      };
    },
  };
}

interface Contents {
  readonly subject: Subject;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Buffer[];
}

interface Issuer {
  readonly subject: Subject;
  readonly key: KeyObject;
  readonly publicKey: KeyObject;
}

function certificate(contents: Contents, issuer: Issuer): string {
  const serial = randomBytes(16);
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f);
  const identifiers = [
    extension("2.5.29.14", octets(keyIdentifier(contents.publicKey))),
    extension("2.5.29.35", sequence(der(0x80, keyIdentifier(issuer.publicKey)))),
  ];
  const body = sequence(
    tagged(0, unsigned(Buffer.of(2))),
    unsigned(serial),
    ECDSA_WITH_SHA256,
    nameOf(issuer.subject),
    sequence(time(daysFromNow(-1)), time(daysFromNow(DAYS_VALID))),
    nameOf(contents.subject),
    contents.publicKey.export({ type: "spki", format: "der" }),
    tagged(3, sequence(...contents.extensions, ...identifiers)),
  );
  return pem(sequence(body, ECDSA_WITH_SHA256, bits(sign("sha256", body, issuer.key))));
}

const nameOf = (subject: Subject): Buffer =>
  sequence(
    ...(subject.userId === undefined ? [] : [attribute("0.9.2342.19200300.100.1.1", subject.userId)]),
    attribute("2.5.4.3", subject.commonName),
  );

const attribute = (type: string, value: string): Buffer => setOf(sequence(oid(type), utf8(value)));

const keyIdentifier = (key: KeyObject): Buffer =>
  createHash("sha1")
    .update(key.export({ type: "spki", format: "der" }))
    .digest();

function generalName(name: string): Buffer {
  if (isIP(name) === 0) return der(0x82, Buffer.from(name));
  if (isIP(name) === 4) return der(0x87, Buffer.from(name.split(".").map(Number)));
  return der(0x87, ipv6Bytes(name));
}

function ipv6Bytes(address: string): Buffer {
  const [head = "", tail] = address.split("::");
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const before = groups(head);
  const after = groups(tail ?? "");
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return Buffer.from([...before, ...zeros, ...after].map((group) => group.padStart(4, "0")).join(""), "hex");
}

function pem(content: Buffer): string {
  const lines = content.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}
