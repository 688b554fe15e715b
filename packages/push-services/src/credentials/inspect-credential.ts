import { type EpochMillis } from "@reveille/wakeup";

import { type ApnsSettings } from "../module-settings.ts";
import { loadCredential } from "./credential.ts";

/** What can be said of a credential without asking Apple. */
export interface CredentialFacts {
  readonly kind: "token" | "certificate";
  /** A key does not expire. */
  readonly expiresAt: EpochMillis | undefined;
  /** Paths of its secret files that every user of this machine can read. */
  readonly exposed: readonly string[];
}

/** Reads the credential's files. Throws as {@link loadCredential} does. */
export async function inspectCredential(settings: ApnsSettings): Promise<CredentialFacts> {
  const { credential, exposed } = await loadCredential(settings);
  const expiresAt = credential.kind === "certificate" ? credential.certificate.expiresAt : undefined;
  return { kind: credential.kind, expiresAt, exposed };
}
