import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

import { beforeAll, describe, expect, it } from "vitest";

import { loadServiceAccount } from "../fcm/service-account.ts";
import { type ApnsSettings, type CredentialSettings } from "../module-settings.ts";
import { aFolder, type TestFolder } from "../testing/a-folder.ts";
import { KEY_ID, TEAM_ID } from "../testing/an-apns.ts";
import { loadCredential } from "./credential.ts";

const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text}`, "utf16le");
const inOneLine = (text: string): string => text.trim().replaceAll("\n", String.raw`\n`);

/** What mail clients, editors, web forms and secret stores make of a PEM file. */
const SPOILT: readonly (readonly [string, (pem: string) => string | Buffer])[] = [
  ["nothing", (pem) => pem],
  ["a byte order mark", (pem) => `\ufeff${pem}`],
  ["UTF-16 with a mark", utf16],
  ["UTF-16 without a mark", (pem) => Buffer.from(pem, "utf16le")],
  ["UTF-16 the other way round", (pem) => utf16(pem).swap16()],
  ["double quotes", (pem) => `"${pem.trim()}"\n`],
  ["single quotes", (pem) => `'${pem.trim()}'`],
  [String.raw`\n in letters`, inOneLine],
  [String.raw`\n in letters and quotes`, (pem) => `"${inOneLine(pem)}"`],
  ["blanks for line breaks", (pem) => pem.trim().replaceAll("\n", " ")],
  ["blanks at the ends of lines", (pem) => pem.replaceAll("\n", "  \t\n")],
  ["line breaks of Windows", (pem) => pem.replaceAll("\n", "\r\n")],
  ["blank lines around", (pem) => `\n\n  ${pem}\n\n`],
  ["base64 once more", (pem) => Buffer.from(pem).toString("base64")],
];

let folder: TestFolder;
let p8 = "";
let rsa = "";
let cert = "";
const settingsOf = (credential: CredentialSettings): ApnsSettings => ({
  topic: "com.example.app",
  environment: "production",
  credential,
});
const token = (content: string | Buffer): ApnsSettings => {
  writeFileSync(folder.file("key.p8"), content);
  return settingsOf({ kind: "token", keyFile: folder.file("key.p8"), keyId: KEY_ID, teamId: TEAM_ID });
};
const certificate = (
  files: Readonly<Record<"cert" | "key" | "pass", string | Buffer | undefined>>,
): ApnsSettings => {
  for (const [name, content] of Object.entries(files))
    if (content !== undefined) writeFileSync(folder.file(name), content);
  return settingsOf({
    kind: "certificate",
    certFile: folder.file("cert"),
    keyFile: files.key === undefined ? undefined : folder.file("key"),
    passphraseFile: files.pass === undefined ? undefined : folder.file("pass"),
  });
};
const openssl = (command: string): void =>
  void execFileSync("openssl", command.split(" "), { cwd: folder.path, stdio: "ignore" });

beforeAll(async () => {
  folder = await aFolder();
  p8 = String(
    generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }),
  );
  openssl("req -x509 -subj /CN=x -days 30 -nodes -newkey rsa:2048 -keyout rsa.key -out rsa.pem");
  rsa = await folder.read("rsa.key");
  cert = await folder.read("rsa.pem");
  const pkcs12 = "pkcs12 -export -passout pass:sesame -in rsa.pem";
  openssl(`${pkcs12} -inkey rsa.key -out both.p12`);
  openssl(`${pkcs12} -nokeys -out nokey.p12`);
  openssl("pkcs12 -export -passout pass:sesame -inkey rsa.key -nocerts -out nocert.p12");
  return () => folder[Symbol.asyncDispose]();
});

describe.each(SPOILT)("a file with %s", (_what, spoil) => {
  it("is read as a key of Apple", async () => {
    expect((await loadCredential(token(spoil(p8)))).credential.kind).toBe("token");
  });

  it("is read as a certificate and as its key", async () => {
    const settings = certificate({ cert: spoil(cert), key: spoil(rsa), pass: undefined });
    expect((await loadCredential(settings)).credential.kind).toBe("certificate");
  });

  it("is read as a service account's key", async () => {
    const fields = { client_email: "a@b.c", private_key_id: "1", token_uri: "https://x/token" };
    const spoilt = spoil(rsa);
    if (typeof spoilt !== "string") return;
    await folder.write("account.json", JSON.stringify({ ...fields, private_key: spoilt }));
    expect((await loadServiceAccount(folder.file("account.json"))).account.clientEmail).toBe("a@b.c");
  });
});

describe("other forms", () => {
  const der = (pem: string): Buffer => Buffer.from(pem.replaceAll(/-----.*-----|\n/g, ""), "base64");

  it("DER, and its base64 without the frame of PEM, are read", async () => {
    for (const content of [der(p8), der(p8).toString("base64")]) {
      expect((await loadCredential(token(content))).credential.kind).toBe("token");
    }
    const settings = certificate({ cert: der(cert), key: der(rsa), pass: undefined });
    expect((await loadCredential(settings)).credential.kind).toBe("certificate");
  });

  it("a .p12 in base64, with a passphrase between quotes, blanks or after a mark, is read", async () => {
    const p12 = readFileSync(folder.file("both.p12"));
    for (const pass of ["sesame", "sesame \r\n", '"sesame"\n', "\ufeffsesame", utf16("sesame\r\n")]) {
      for (const content of [p12, p12.toString("base64")]) {
        const loaded = await loadCredential(certificate({ cert: content, key: undefined, pass }));
        expect(loaded.credential.kind).toBe("certificate");
      }
    }
  });

  it.each([
    ["nokey.p12", /is a \.p12 with a certificate and without its private key; export both from Keychain$/],
    ["nocert.p12", /is a \.p12 with a private key and without its certificate; export both from Keychain$/],
    ["rsa.pem", /comes without its private key: no PEM block ends in PRIVATE KEY, here or in keyFile$/],
    ["rsa.key", /holds no certificate in PEM form/],
  ])("%s is called by the half that is missing", async (name, message) => {
    const settings = certificate({ cert: readFileSync(folder.file(name)), key: undefined, pass: "sesame" });
    await expect(loadCredential(settings)).rejects.toThrow(message);
  });

  it("a key that is none of Apple's is called by what it is", async () => {
    const encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    await expect(loadCredential(token(encrypted))).rejects.toThrow(
      /under a passphrase; take that off with: openssl pkcs8/,
    );
    const publicKey = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    await expect(loadCredential(token(publicKey))).rejects.toThrow(
      /holds a public key; Apple's \.p8 file has the private one$/,
    );
    await expect(loadCredential(token(""))).rejects.toThrow(/is empty$/);
    await expect(loadCredential(token("nonsense"))).rejects.toThrow(/holds no private key in PEM form/);
  });

  it.each([
    [{ type: "authorized_user", client_id: "x" }, /is of the type authorized_user, a person's own login/],
    [
      { type: "external_account", audience: "x" },
      /is of the type external_account, workload identity federation/,
    ],
    [{ project_info: {} }, /is google-services\.json, which belongs into the app/],
  ])("a service account that is none is called by name: %j", async (fields, message) => {
    await folder.write("account.json", JSON.stringify(fields));
    await expect(loadServiceAccount(folder.file("account.json"))).rejects.toThrow(message);
  });

  it("a service account with a mark, in UTF-16, in quotes or in base64 is read", async () => {
    const json = JSON.stringify({ client_email: "a@b.c", private_key: rsa, token_uri: "https://x/token" });
    for (const content of [`\ufeff${json}`, utf16(json), `'${json}'`, Buffer.from(json).toString("base64")]) {
      writeFileSync(folder.file("account.json"), content);
      expect((await loadServiceAccount(folder.file("account.json"))).account.clientEmail).toBe("a@b.c");
    }
  });
});
