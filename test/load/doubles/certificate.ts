import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Certificate {
  /** Also the authority that signed it. */
  readonly certFile: string;
  readonly keyFile: string;
}

/** A certificate for the loopback, valid for two days. Needs Debian's `openssl`. */
export async function makeCertificate(folder: string): Promise<Certificate> {
  const [certFile, keyFile] = [join(folder, "apns.pem"), join(folder, "apns.key")];
  const names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", keyFile];
  const subject = ["-subj", "/CN=localhost", "-addext", names, "-days", "2", "-out", certFile];
  await run("openssl", ["req", "-x509", ...key, ...subject]);
  return { certFile, keyFile };
}

/** A provider's signing key as Apple hands them out (PKCS #8, P-256); gives its path. */
export function makeProviderKey(folder: string): string {
  const file = join(folder, "provider.p8");
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  return file;
}
