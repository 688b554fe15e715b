import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { CA_SETTINGS, EXPIRED } from "../../../packages/front/src/testing/certificates.ts";

const run = promisify(execFile);

/** Certificates that users' servers show, and whether the front lets such a server in. */
export const KINDS = {
  both: { proof: "external" },
  "server-only": { proof: "dialback" },
  "self-signed": { proof: "none" },
  // Node reports it like a valid one with this use.
  "self-signed-server-only": { proof: "none" },
  expired: { proof: "none" },
  "wrong-name": { proof: "none" },
  none: { proof: "none" },
} as const;

export type Kind = keyof typeof KINDS;
export const ALL_KINDS = Object.keys(KINDS).filter((name): name is Kind => name in KINDS);

export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** A CA, and one certificate of each kind for all `names` of that kind; `undefined` for no certificate. */
export async function makeCertificates(
  folder: string,
  hostnames: readonly string[],
  namesOf: (kind: Kind) => readonly string[],
) {
  const openssl = async (...args: readonly string[]) => run("openssl", args, { cwd: folder });
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const extensions = ["-addext", "basicConstraints=critical,CA:TRUE"];
  await openssl(
    "req",
    "-x509",
    ...curve,
    ...extensions,
    "-subj",
    "/CN=CA",
    "-keyout",
    "ca.key",
    "-out",
    "ca.crt",
  );
  await writeFile(join(folder, "ca.cnf"), CA_SETTINGS);
  await writeFile(join(folder, "index.txt"), "");
  const issue = async (name: string, names: readonly string[], kind: Kind): Promise<CertificateFiles> => {
    const uses = kind.includes("server-only") ? "serverAuth" : "serverAuth,clientAuth";
    const list = names.map((each) => `DNS:${each}`).join(",");
    await writeFile(
      join(folder, `${name}.ext`),
      `subjectAltName=${list}\nextendedKeyUsage=${uses}\nbasicConstraints=CA:FALSE\n`,
    );
    const [key, request] = [`${name}.key`, `${name}.csr`];
    await openssl("req", ...curve, "-subj", "/CN=a server", "-keyout", key, "-out", request);
    const signer = kind.startsWith("self-signed") ? ["-signkey", key] : ["-CA", "ca.crt", "-CAkey", "ca.key"];
    const signed = ["-in", request, "-extfile", `${name}.ext`, "-out", `${name}.crt`];
    if (kind === "expired") await openssl("ca", ...EXPIRED, ...signed);
    else await openssl("x509", "-req", ...signer, "-days", "5", ...signed);
    return { certificate: join(folder, `${name}.crt`), key: join(folder, key) };
  };
  const [front, ...senders] = await Promise.all([
    issue("front", hostnames, "both"),
    ...ALL_KINDS.map(async (kind) => {
      if (kind === "none") return [kind, undefined] as const;
      return [
        kind,
        await issue(kind, kind === "wrong-name" ? ["other.example"] : namesOf(kind), kind),
      ] as const;
    }),
  ]);
  return { authority: join(folder, "ca.crt"), front, senders: new Map(senders) };
}
