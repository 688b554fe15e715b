import { open } from "node:fs/promises";

import { decodeText } from "@reveille/wakeup";

/** A secret read from its file. */
export interface Secret {
  readonly text: string;
  /** The file's mode lets every user of the machine read it: worth a warning at the start. */
  readonly readableByOthers: boolean;
}

const READ_BY_OTHERS = 0o004;

/** Reads a secret, UTF-8 or UTF-16, without the white space around it. Quotes are part of it. Throws an error that names the file and `key`. */
export async function readSecret(file: string, key: string): Promise<Secret> {
  const { text, mode } = await readWithMode(file).catch((cause: unknown) => {
    throw new Error(`cannot read ${file}, the file that \`${key}\` names: ${reasonOf(cause)}`, { cause });
  });
  if (text === "") throw new Error(`${file}, the file that \`${key}\` names, is empty`);
  return { text, readableByOthers: (mode & READ_BY_OTHERS) !== 0 };
}

async function readWithMode(file: string): Promise<{ readonly text: string; readonly mode: number }> {
  await using handle = await open(file);
  const { mode } = await handle.stat();
  return { text: decodeText(await handle.readFile()).trim(), mode };
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "this user may not read it",
  EISDIR: "it is a folder",
};

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  return REASONS[code] ?? cause.message;
}
