import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";

import { failureReason } from "@reveille/wakeup";

/** A file with something secret in it, as read. */
export interface SecretFile {
  readonly path: string;
  readonly content: Buffer;
  /** Users beyond owner and group can read it. */
  readonly exposed: boolean;
}

const READABLE_BY_OTHERS = 0o004;

const HINTS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "there is no such file"],
  ["EACCES", "this user may not read it; give its group read access: chmod 640"],
  ["EISDIR", "it is a folder"],
]);

/**
 * A file of a credential cannot be used. `message` is for whoever runs a command, and names the path; `because` is for logs
 * and reports, and names the file alone: systemd hands secrets over in folders that no operator knows.
 */
export class CredentialFileError extends Error {
  override readonly name = "CredentialFileError";
  readonly because: string;

  /** `tell` makes the text from what the file is called. */
  constructor(path: string, tell: (name: string) => string, cause?: unknown) {
    super(tell(path), { cause });
    this.because = tell(basename(path));
  }
}

/** Why a credential cannot be used, fit for logs and reports. */
export const credentialTrouble = (error: unknown): string =>
  error instanceof CredentialFileError ? error.because : failureReason(error);

/** Throws a {@link CredentialFileError} that says what it should be, and what to do. */
export async function readSecretFile(path: string, what: string): Promise<SecretFile> {
  try {
    const [content, { mode }] = await Promise.all([readFile(path), stat(path)]);
    return { path, content, exposed: (mode & READABLE_BY_OTHERS) !== 0 };
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    throw new CredentialFileError(
      path,
      (name) => `cannot read ${what} ${name}: ${HINTS.get(code) ?? code}`,
      cause,
    );
  }
}
