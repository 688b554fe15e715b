import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type ApnsSettings, type CredentialSettings } from "../module-settings.ts";
import { aKey, KEY_ID, TEAM_ID } from "../testing/an-apns.ts";
import { loadCredential } from "./credential.ts";

const openssl = (folder: string, command: string): Promise<unknown> =>
  promisify(execFile)("openssl", command.split(" "), { cwd: folder });

let folder: string;
const file = (name: string): string => join(folder, name);

const settingsOf = (
  credential: CredentialSettings,
  environment: ApnsSettings["environment"] = "production",
): ApnsSettings => ({
  topic: "com.example.app",
  environment,
  credential,
});
const token = (keyFile: string): ApnsSettings =>
  settingsOf({ kind: "token", keyFile: file(keyFile), keyId: KEY_ID, teamId: TEAM_ID });
const p12 = (certFile: string): ApnsSettings =>
  settingsOf({ kind: "certificate", certFile: file(certFile), passphraseFile: file("passphrase") });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "reveille-credentials-"));
  await writeFile(file("key.p8"), aKey().privateKey, { mode: 0o600 });
  await writeFile(file("passphrase"), "correct horse\n", { mode: 0o600 });
  await writeFile(file("wrong"), "battery staple\n", { mode: 0o600 });
  const subject = "-subj /CN=com.example.app -days 30 -nodes -newkey rsa:2048";
  const apple = "-addext 1.2.840.113635.100.6.3.2=DER:0500";
  await openssl(folder, `req -x509 ${subject} ${apple} -keyout cert.key -out cert.pem`);
  await openssl(folder, `req -x509 ${subject} -keyout other.key -out other.pem`);
  const pkcs12 = "pkcs12 -export -inkey cert.key -in cert.pem -passout file:passphrase";
  await openssl(folder, `${pkcs12} -out cert.p12`);
  await openssl(folder, `${pkcs12} -legacy -out old.p12`);
  await openssl(folder, "rsa -in cert.key -aes256 -passout file:passphrase -out locked.key");
  await writeFile(
    file("both.pem"),
    [await readFile(file("cert.pem")), await readFile(file("cert.key"))].join(""),
  );
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe("a credential", () => {
  it("is a key of Apple's developer pages", async () => {
    const { credential, exposed } = await loadCredential(token("key.p8"));
    expect(credential).toMatchObject({ kind: "token", issuer: { keyId: KEY_ID, teamId: TEAM_ID } });
    expect(exposed).toEqual([]);
  });

  it.each([
    ["a p12 file", () => p12("cert.p12")],
    [
      "a PEM pair",
      () => settingsOf({ kind: "certificate", certFile: file("cert.pem"), keyFile: file("cert.key") }),
    ],
    ["one PEM file with both", () => settingsOf({ kind: "certificate", certFile: file("both.pem") })],
    [
      "a PEM pair under a passphrase",
      () =>
        settingsOf({
          kind: "certificate",
          certFile: file("cert.pem"),
          keyFile: file("locked.key"),
          passphraseFile: file("passphrase"),
        }),
    ],
  ])("is %s, whose expiry is known", async (_what, settings) => {
    const { credential } = await loadCredential(settings());
    expect(credential.kind).toBe("certificate");
    const expiresAt = credential.kind === "certificate" ? credential.certificate.expiresAt : 0;
    expect((expiresAt - performance.timeOrigin) / 86_400_000).toBeCloseTo(30, 0);
  });

  it.each([
    ["a missing key", () => token("none.p8"), /^cannot read APNs key .*none\.p8: there is no such file$/],
    ["a folder", () => token("."), /it is a folder$/],
    [
      "a certificate for a key",
      () => token("cert.pem"),
      /^APNs key .*cert\.pem holds no private key in PEM form/,
    ],
    ["an RSA key", () => token("cert.key"), /is not on the curve P-256$/],
    [
      "a wrong passphrase",
      () => settingsOf({ kind: "certificate", certFile: file("cert.p12"), passphraseFile: file("wrong") }),
      /^APNs certificate .*cert\.p12 cannot be opened: its passphrase is another one$/,
    ],
    [
      "a p12 with RC2",
      () => p12("old.p12"),
      /OpenSSL no longer has \(RC2\); convert it with: openssl pkcs12 -legacy/,
    ],
    ["something else for a p12", () => p12("passphrase"), /is neither a \.p12 nor a PEM file$/],
    [
      "a key of another certificate",
      () => settingsOf({ kind: "certificate", certFile: file("cert.pem"), keyFile: file("other.key") }),
      /certificate and key do not belong together$/,
    ],
    [
      "a certificate of the other environment",
      () => settingsOf({ kind: "certificate", certFile: file("both.pem") }, "sandbox"),
      /was not issued for the environment sandbox$/,
    ],
    [
      "authorities that are not there",
      () => ({ ...token("key.p8"), caFile: file("none.pem") }),
      /^cannot read certificate authorities .*none\.pem/,
    ],
  ])("is refused by file and reason: %s", async (_what, settings, message) => {
    await expect(loadCredential(settings())).rejects.toThrow(message);
  });

  it("that others can read is told by its file; a certificate without its key is public", async () => {
    await writeFile(file("open.key"), await readFile(file("cert.key")));
    await chmod(file("open.key"), 0o644);
    await chmod(file("cert.pem"), 0o644);
    const settings = settingsOf({
      kind: "certificate",
      certFile: file("cert.pem"),
      keyFile: file("open.key"),
    });
    expect((await loadCredential(settings)).exposed).toEqual([file("open.key")]);
  });

  it("has another version as soon as one of its files changes", async () => {
    await writeFile(file("changing.p8"), aKey().privateKey);
    const before = await loadCredential(token("changing.p8"));
    expect((await loadCredential(token("changing.p8"))).version).toBe(before.version);
    await writeFile(file("changing.p8"), aKey().privateKey);
    expect((await loadCredential(token("changing.p8"))).version).not.toBe(before.version);
  });

  it("never shows key material in what it says", async () => {
    const secret = generateKeyPairSync("ed25519")
      .privateKey.export({ format: "pem", type: "pkcs8" })
      .toString();
    await writeFile(file("ed.p8"), secret);
    const message = await loadCredential(token("ed.p8")).then(
      () => "",
      (error: unknown) => String(error),
    );
    expect(message).not.toBe("");
    expect(message).not.toContain(secret.split("\n")[1]);
  });
});
