import { createHash } from "node:crypto";

import { type TokenIssuer } from "../apns/provider-token.ts";
import { signingKeyOf } from "../apns/es256.ts";
import { type ApnsSettings, type CredentialSettings } from "../module-settings.ts";
import { type Certificate, certificateIn, passphrasesIn } from "./certificate.ts";
import { hasBlock, pemIn } from "./pem.ts";
import { CredentialFileError, readSecretFile, type SecretFile } from "./secret-file.ts";

/** What we show Apple to be let in. */
export type Credential =
  | { readonly kind: "token"; readonly issuer: TokenIssuer }
  | { readonly kind: "certificate"; readonly certificate: Certificate };

export interface LoadedCredential {
  readonly credential: Credential;
  /** Authorities to trust in place of Node's own. */
  readonly ca: Buffer | undefined;
  /** Differs as soon as one of the files does. */
  readonly version: string;
  /** Paths of secret files that every user of this machine can read. */
  readonly exposed: readonly string[];
}

type Settings<Kind extends CredentialSettings["kind"]> = Extract<CredentialSettings, { kind: Kind }>;

/** Throws a {@link CredentialFileError} that says what to do; it never carries key material. */
export async function loadCredential(settings: ApnsSettings): Promise<LoadedCredential> {
  const { credential, environment, caFile } = settings;
  const read =
    credential.kind === "token"
      ? await readToken(credential)
      : await readCertificate(credential, environment);
  const ca =
    caFile === undefined ? undefined : (await readSecretFile(caFile, "certificate authorities")).content;
  const version = createHash("sha256");
  for (const { content } of read.files) version.update(content).update("|");
  return {
    credential: read.credential,
    ca,
    version: version.update(ca ?? "").digest("base64url"),
    exposed: read.files.filter(({ isSecret, exposed }) => isSecret && exposed).map(({ path }) => path),
  };
}

/** Throws an Error that says what the file has in place of a key. */
function keyTextOf(content: Buffer): string {
  if (content.length === 0) throw new Error("is empty");
  const pem = pemIn(content) ?? "";
  if (hasBlock(pem, "PUBLIC KEY"))
    throw new Error("holds a public key; Apple's .p8 file has the private one");
  if (hasBlock(pem, "ENCRYPTED PRIVATE KEY")) {
    throw new Error(
      "holds a key under a passphrase; take that off with: openssl pkcs8 -in OLD.p8 -out NEW.p8",
    );
  }
  return pem;
}

interface ReadCredential {
  readonly credential: Credential;
  readonly files: readonly (SecretFile & { readonly isSecret: boolean })[];
}

async function readToken({ keyFile, keyId, teamId }: Settings<"token">): Promise<ReadCredential> {
  const file = await readSecretFile(keyFile, "APNs key");
  const key = naming(keyFile, "APNs key", () => signingKeyOf(keyTextOf(file.content)));
  return {
    credential: { kind: "token", issuer: { key, keyId, teamId } },
    files: [{ ...file, isSecret: true }],
  };
}

async function readCertificate(
  settings: Settings<"certificate">,
  environment: ApnsSettings["environment"],
): Promise<ReadCredential> {
  const { certFile, keyFile, passphraseFile } = settings;
  const cert = await readSecretFile(certFile, "APNs certificate");
  const key = keyFile === undefined ? cert : await readSecretFile(keyFile, "key of the APNs certificate");
  const secret =
    passphraseFile === undefined ? undefined : await readSecretFile(passphraseFile, "passphrase");
  const passphrases = secret === undefined ? [""] : passphrasesIn(secret.content);
  const certificate = naming(certFile, "APNs certificate", () => {
    const read = certificateIn(cert.content, key.content, passphrases);
    requireEnvironment(read, environment);
    return read;
  });
  return {
    credential: { kind: "certificate", certificate },
    files: [
      // Without the key in it a certificate is public.
      { ...cert, isSecret: key === cert },
      { ...key, isSecret: true },
      ...(secret === undefined ? [] : [{ ...secret, isSecret: true }]),
    ],
  };
}

function requireEnvironment({ issuedFor }: Certificate, environment: ApnsSettings["environment"]): void {
  const said = issuedFor.sandbox || issuedFor.production;
  if (said && !issuedFor[environment]) throw new Error(`was not issued for the environment ${environment}`);
}

/** Says of which file an Error about its content is; throws a {@link CredentialFileError}. */
function naming<T>(path: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const trouble = cause instanceof Error ? cause.message : "is unreadable";
    throw new CredentialFileError(path, (name) => `${what} ${name} ${trouble}`, cause);
  }
}
