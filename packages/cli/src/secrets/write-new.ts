import { chmod, lstat, mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** A file to be written. */
export interface NewFile {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

/** Those of the files that are there already. */
async function existingOf(files: readonly NewFile[]): Promise<readonly NewFile[]> {
  const isThere = await Promise.all(
    files.map(({ path }) =>
      // A link counts, wherever it leads: nobody is to choose through it what is written.
      lstat(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  return files.filter((_file, index) => isThere[index]);
}

/** Writes all of them, or throws an Error that names those that are there already and writes none. */
export async function writeNew(files: readonly NewFile[]): Promise<void> {
  const existing = await existingOf(files);
  if (existing.length > 0) {
    const names = existing.map(({ path }) => path).join(", ");
    throw new Error(
      `already there, so nothing was written: ${names}; move them away, or name another folder`,
    );
  }
  for (const { path, text, mode } of files) {
    // As the installer makes them: the front may pass through to its secret, and sees no names.
    await mkdir(dirname(path), { recursive: true, mode: 0o711 });
    await writeFile(path, text, { mode, flag: "wx" });
    // Whatever the user's umask is: the roles have to read it.
    await chmod(path, mode);
  }
}
