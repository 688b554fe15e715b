import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

import { type ConfigChange } from "@reveille/runtime";

import { secretPath } from "./secret-path.ts";

/** The files a role reads when it starts and never again, as they were then: a reload tells which of them differ. */
export class StartSecrets {
  readonly #files: readonly NamedFile[];
  readonly #digests: ReadonlyMap<string, string>;

  private constructor(files: readonly NamedFile[], digests: ReadonlyMap<string, string>) {
    this.#files = files;
    this.#digests = digests;
  }

  /** Those that `sections` of the configuration name by keys that end with `File`. */
  static async of(config: object, sections: readonly string[]): Promise<StartSecrets> {
    const files: readonly NamedFile[] = Object.entries(config)
      .filter(([section]) => sections.includes(section))
      .flatMap(([section, value]) => filesIn(value, section));
    return new StartSecrets(files, await digestsOf(files));
  }

  /** What has changed since the start, and so needs a restart. */
  async changes(): Promise<readonly ConfigChange[]> {
    const now = await digestsOf(this.#files);
    return this.#files
      .filter(({ key }) => now.get(key) !== this.#digests.get(key))
      .map(({ key, file }) => ({ key, before: file, after: file, file }));
  }
}

interface NamedFile {
  /** Dotted path of the key that names it. */
  readonly key: string;
  readonly file: string;
}

function filesIn(value: unknown, path: string): readonly NamedFile[] {
  if (typeof value === "string") return path.endsWith("File") ? [{ key: path, file: value }] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, below]) => filesIn(below, `${path}.${name}`));
}

async function digestsOf(files: readonly NamedFile[]): Promise<ReadonlyMap<string, string>> {
  return new Map(
    await Promise.all(files.map(async ({ key, file }) => [key, await digestOf(secretPath(file))] as const)),
  );
}

const digestOf = (path: string): Promise<string> =>
  readFile(path).then(
    (content) => createHash("sha256").update(content).digest("base64"),
    // Of another role, which alone can read it.
    () => "unreadable",
  );
