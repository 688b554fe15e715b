import { type EpochMillis } from "@reveille/wakeup";

import { loadServiceAccount } from "../fcm/service-account.ts";
import { type ModuleSettings } from "../module-settings.ts";
import { loadCredential } from "./credential.ts";

/** What can be said of a credential without asking the push service. */
export interface CredentialFacts {
  readonly kind: "token" | "certificate" | "service-account";
  /** A key does not expire. */
  readonly expiresAt: EpochMillis | undefined;
  /** Paths of its secret files that every user of this machine can read. */
  readonly exposed: readonly string[];
}

/** Reads the credential's files. Throws an Error that names the file and what to do. */
export async function inspectCredential(settings: ModuleSettings): Promise<CredentialFacts> {
  if (settings.kind === "fcm") {
    const file = settings.fcm.serviceAccountFile;
    const { exposed } = await loadServiceAccount(file);
    return { kind: "service-account", expiresAt: undefined, exposed: exposed ? [file] : [] };
  }
  const { credential, exposed } = await loadCredential(settings.apns);
  const expiresAt = credential.kind === "certificate" ? credential.certificate.expiresAt : undefined;
  return { kind: credential.kind, expiresAt, exposed };
}
