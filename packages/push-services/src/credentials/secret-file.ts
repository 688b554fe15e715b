import { readFile, stat } from "node:fs/promises";

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

/** Throws an Error that names the file, what it should be, and what to do. */
export async function readSecretFile(path: string, what: string): Promise<SecretFile> {
  try {
    const [content, { mode }] = await Promise.all([readFile(path), stat(path)]);
    return { path, content, exposed: (mode & READABLE_BY_OTHERS) !== 0 };
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    throw new Error(`cannot read ${what} ${path}: ${HINTS.get(code) ?? code}`, { cause });
  }
}
