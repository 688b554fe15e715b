import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder of its own that goes when it is disposed. */
export interface TestFolder extends AsyncDisposable {
  readonly path: string;
  readonly file: (name: string) => string;
  /** Only the owner can read it. */
  readonly write: (name: string, content: string) => Promise<void>;
  readonly read: (name: string) => Promise<string>;
  /** Lets every user read it. */
  readonly expose: (name: string) => Promise<void>;
}

export async function aFolder(files: Readonly<Record<string, string>> = {}): Promise<TestFolder> {
  const path = await mkdtemp(join(tmpdir(), "reveille-push-services-"));
  const file = (name: string): string => join(path, name);
  const write = (name: string, content: string): Promise<void> =>
    writeFile(file(name), content, { mode: 0o600 });
  await Promise.all(Object.entries(files).map(([name, content]) => write(name, content)));
  const read = (name: string): Promise<string> => readFile(file(name), "utf8");
  const expose = (name: string): Promise<void> => chmod(file(name), 0o644);
  return { path, file, write, read, expose, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
