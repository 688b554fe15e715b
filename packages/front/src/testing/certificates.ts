import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Certificate } from "../s2s/tls-server.ts";

export interface CertificateKind {
  /** Names in the certificate, as dNSName, or in the form of OpenSSL, such as `otherName:…`. */
  readonly names: readonly string[];
  /** `both`: serverAuth and clientAuth; `server`: serverAuth alone, as public authorities issue them since 2026. */
  readonly usage?: "both" | "server";
  readonly isSelfSigned?: boolean;
  readonly isExpired?: boolean;
}

/** A test authority and what it signs. Needs `openssl`. */
export interface Authority extends Disposable {
  /** PEM. */
  readonly certificate: string;
  readonly issue: (kind: CertificateKind) => Certificate;
}

const CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
const USAGES = { both: "serverAuth,clientAuth", server: "serverAuth" };

/**
 * `ca.cnf` for `EXPIRED`, which also needs an empty `index.txt`, `ca.crt` and `ca.key`: OpenSSL 3.5 takes no negative `-days`,
 * and 3.0 takes dates for its `ca` command alone.
 */
export const CA_SETTINGS = `
[ca]
default_ca = test
[test]
database = index.txt
new_certs_dir = .
default_md = sha256
rand_serial = yes
unique_subject = no
policy = names
[names]
commonName = supplied
`;
const PAST = "-startdate 20200101000000Z -enddate 20200201000000Z";
/** Arguments of `openssl ca` that sign a certificate which has expired; `-in`, `-extfile` and `-out` are to follow. */
export const EXPIRED: readonly string[] =
  `-batch -notext -config ca.cnf -cert ca.crt -keyfile ca.key ${PAST}`.split(" ");

export function anAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), "front-ca-"));
  const at = (name: string): string => join(folder, name);
  const run = (...args: readonly string[]): void =>
    void execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  writeFileSync(at("ca.cnf"), CA_SETTINGS);
  writeFileSync(at("index.txt"), "");
  run("req", "-x509", ...CURVE, "-subj", "/CN=Test CA", "-days", "10", "-keyout", "ca.key", "-out", "ca.crt");
  let count = 0;
  return {
    certificate: readFileSync(at("ca.crt"), "utf8"),
    issue: ({ names, usage = "both", isSelfSigned = false, isExpired = false }) => {
      count += 1;
      const [key, request, cert, extensions] = ["key", "csr", "crt", "ext"].map(
        (ending) => `${count}.${ending}`,
      );
      if (key === undefined || request === undefined || cert === undefined || extensions === undefined)
        throw new Error("never");
      const list = names.map((name) => (name.startsWith("otherName:") ? name : `DNS:${name}`)).join(",");
      writeFileSync(
        at(extensions),
        `subjectAltName=${list}\nextendedKeyUsage=${USAGES[usage]}\nbasicConstraints=CA:FALSE\n`,
      );
      run("req", ...CURVE, "-subj", "/CN=a server", "-keyout", key, "-out", request);
      const signer = isSelfSigned ? ["-signkey", key] : ["-CA", "ca.crt", "-CAkey", "ca.key"];
      const signed = ["-in", request, "-extfile", extensions, "-out", cert];
      if (isExpired) run("ca", ...EXPIRED, ...signed);
      else run("x509", "-req", ...signer, "-days", "5", ...signed);
      return { cert: readFileSync(at(cert), "utf8"), key: readFileSync(at(key), "utf8") };
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}
