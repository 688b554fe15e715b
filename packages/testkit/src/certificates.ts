import { execFile } from "node:child_process";
import { access, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A test CA: signs for the servers of local regions, and nobody else trusts it. */
export interface CertificateAuthority {
  readonly certificateFile: string;
  readonly keyFile: string;
}

const NEW_CERTIFICATE = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** The CA in `folder`, made at the first call; several processes may call at once. */
export async function openCertificateAuthority(folder: string): Promise<CertificateAuthority> {
  const authority = { certificateFile: join(folder, "ca.crt"), keyFile: join(folder, "ca.key") };
  if (await exists(authority.certificateFile)) return authority;
  await mkdir(dirname(folder), { recursive: true });
  const draft = await mkdtemp(`${folder}-`);
  await makeSelfSigned(join(draft, "ca.crt"), join(draft, "ca.key"));
  try {
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true });
    // Another process was faster: its CA is as good as ours.
    if (!(await exists(authority.certificateFile))) throw error;
  }
  return authority;
}

async function makeSelfSigned(certificateFile: string, keyFile: string): Promise<void> {
  const subject = ["-subj", "/CN=Reveille test CA", "-days", "3650"];
  const extensions = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"];
  const files = ["-out", certificateFile, "-keyout", keyFile];
  await openssl([...NEW_CERTIFICATE, ...subject, ...added(extensions), ...files]);
}

/**
 * Puts `<name>.crt` and `<name>.key` into `folder`, good for that hostname. As public authorities do since 2026 it says
 * `serverAuth` alone unless told, although a server that connects to another shows it as client.
 */
export async function issueCertificate(
  authority: CertificateAuthority,
  folder: string,
  name: string,
  purposes = "serverAuth",
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const subject = ["-subj", `/CN=${name}`, "-days", "365"];
  const signer = ["-CA", authority.certificateFile, "-CAkey", authority.keyFile];
  const extensions = [
    `subjectAltName=DNS:${name}`,
    "basicConstraints=CA:FALSE",
    `extendedKeyUsage=${purposes}`,
  ];
  const files = ["-out", join(folder, `${name}.crt`), "-keyout", join(folder, `${name}.key`)];
  await openssl([...NEW_CERTIFICATE, ...subject, ...signer, ...added(extensions), ...files]);
}

/** A key for APNs provider tokens as Apple hands them out: EC P-256 in PKCS #8. */
export async function makeSigningKey(file: string): Promise<void> {
  await openssl(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", file]);
}

const added = (extensions: readonly string[]): readonly string[] =>
  extensions.flatMap((extension) => ["-addext", extension]);

async function openssl(args: readonly string[]): Promise<void> {
  await run("openssl", args);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
