import { createHash, createPrivateKey, type KeyObject } from "node:crypto";

import { decodeText } from "@reveille/wakeup";

import { pemIn, unquoted } from "../credentials/pem.ts";
import { CredentialFileError, readSecretFile } from "../credentials/secret-file.ts";

/** What a service account of Google needs to prove itself with. */
export interface ServiceAccount {
  readonly clientEmail: string;
  readonly keyId: string;
  readonly key: KeyObject;
  /** Where its assertions are exchanged for access tokens. */
  readonly tokenUri: URL;
}

export interface LoadedAccount {
  readonly account: ServiceAccount;
  /** Differs as soon as the file does. */
  readonly version: string;
  /** Every user of this machine can read the file. */
  readonly exposed: boolean;
}

const MAKE = "Firebase console, project settings, service accounts, generate new private key";

/** Throws a {@link CredentialFileError} that says what to do; it never carries key material. */
export async function loadServiceAccount(file: string): Promise<LoadedAccount> {
  const { content, exposed } = await readSecretFile(file, "service account");
  const account = accountIn(textIn(content));
  if (typeof account === "string") {
    throw new CredentialFileError(file, (name) => `service account ${name} ${account}`);
  }
  return { account, version: createHash("sha256").update(content).digest("base64url"), exposed };
}

/** What a file has that is JSON, or JSON in base64, or in quotes. */
function textIn(content: Buffer): string {
  const text = decodeText(content).trim();
  const inner = text.startsWith("'") ? unquoted(text) : text;
  return /^[A-Za-z0-9+/=\s]{64,}$/.test(inner) ? decodeText(Buffer.from(inner, "base64")) : inner;
}

/** Files that Google hands out as well, by their `type`. */
const OTHER_TYPES: ReadonlyMap<unknown, string> = new Map([
  ["authorized_user", "a person's own login (gcloud auth application-default login)"],
  ["external_account", "workload identity federation"],
  ["external_account_authorized_user", "workforce identity federation"],
  ["impersonated_service_account", "impersonation by another account"],
]);

/** The account, or what is wrong with the text. */
function accountIn(text: string): ServiceAccount | string {
  if (text === "") return "is empty";
  const fields = new Map(jsonEntries(text));
  const other = OTHER_TYPES.get(fields.get("type"));
  if (other !== undefined) {
    return `is of the type ${String(fields.get("type"))}, ${other}; FCM needs one of the type service_account: ${MAKE}`;
  }
  if (fields.has("project_info")) return `is google-services.json, which belongs into the app: ${MAKE}`;
  const [clientEmail, keyId, key, tokenUri] = [
    "client_email",
    "private_key_id",
    "private_key",
    "token_uri",
  ].map((name) => fields.get(name));
  if (typeof clientEmail !== "string" || typeof key !== "string" || typeof tokenUri !== "string") {
    return "is not the JSON file that Google hands out: it has no client_email, private_key or token_uri";
  }
  const url = URL.parse(tokenUri);
  if (url?.protocol !== "https:") return "has a token_uri that is no https URL";
  try {
    const privateKey = createPrivateKey(pemIn(Buffer.from(key)) ?? "");
    if (privateKey.asymmetricKeyType !== "rsa") return "has a private_key that is no RSA key";
    return { clientEmail, keyId: typeof keyId === "string" ? keyId : "", key: privateKey, tokenUri: url };
  } catch {
    // What OpenSSL says could show what was read.
    return "has a private_key that is no key in PEM form";
  }
}

function jsonEntries(text: string): readonly [string, unknown][] {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? Object.entries(value) : [];
  } catch {
    // No JSON has no entries.
    return [];
  }
}
