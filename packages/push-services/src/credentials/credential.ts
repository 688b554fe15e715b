import { type TokenIssuer } from "../apns/provider-token.ts";
import { signingKeyOf } from "../apns/es256.ts";
import { type ApnsSettings, type CredentialSettings } from "../module-settings.ts";
import { type Certificate, certificateOfP12, certificateOfPem } from "./certificate.ts";
import { readSecretFile, type SecretFile } from "./secret-file.ts";

/** What we show Apple to be let in. */
export type Credential =
  | { readonly kind: "token"; readonly issuer: TokenIssuer }
  | { readonly kind: "certificate"; readonly certificate: Certificate };

export interface LoadedCredential {
  readonly credential: Credential;
  /** Paths of secret files that every user of this machine can read. */
  readonly exposed: readonly string[];
}

type Settings<Kind extends CredentialSettings["kind"]> = Extract<CredentialSettings, { kind: Kind }>;

/** Throws an Error that names the file and what to do; it never carries key material. */
export function loadCredential(settings: ApnsSettings): Promise<LoadedCredential> {
  const { credential } = settings;
  return credential.kind === "token"
    ? loadToken(credential)
    : loadCertificate(credential, settings.environment);
}

async function loadToken({ keyFile, keyId, teamId }: Settings<"token">): Promise<LoadedCredential> {
  const file = await readSecretFile(keyFile, "APNs key");
  const key = naming(keyFile, "APNs key", () => signingKeyOf(file.content.toString("latin1")));
  return { credential: { kind: "token", issuer: { key, keyId, teamId } }, exposed: exposedOf([file]) };
}

async function loadCertificate(
  settings: Settings<"certificate">,
  environment: ApnsSettings["environment"],
): Promise<LoadedCredential> {
  const { certFile, keyFile, passphraseFile } = settings;
  const cert = await readSecretFile(certFile, "APNs certificate");
  const key = keyFile === undefined ? cert : await readSecretFile(keyFile, "key of the APNs certificate");
  const secret =
    passphraseFile === undefined ? undefined : await readSecretFile(passphraseFile, "passphrase");
  const passphrase = secret?.content.toString().split(/\r?\n/, 1)[0] ?? "";
  const certificate = naming(certFile, "APNs certificate", () => {
    const read = isPem(cert)
      ? certificateOfPem(cert.content, key.content, passphrase)
      : certificateOfP12(cert.content, passphrase);
    requireEnvironment(read, environment);
    return read;
  });
  // A certificate alone is public; the file with the key is not.
  const secrets = [key, ...(secret === undefined ? [] : [secret])];
  return { credential: { kind: "certificate", certificate }, exposed: exposedOf(secrets) };
}

const isPem = (file: SecretFile): boolean => file.content.includes("-----BEGIN ");

function requireEnvironment({ issuedFor }: Certificate, environment: ApnsSettings["environment"]): void {
  const said = issuedFor.sandbox || issuedFor.production;
  if (said && !issuedFor[environment]) throw new Error(`was not issued for the environment ${environment}`);
}

const exposedOf = (files: readonly SecretFile[]): string[] =>
  files.filter((file) => file.exposed).map((file) => file.path);

/** Says of which file an Error about its content is. */
function naming<T>(path: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new Error(`${what} ${path} ${cause instanceof Error ? cause.message : "is unreadable"}`, { cause });
  }
}
