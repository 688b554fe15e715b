import { constants } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { type RenderedFile } from "./files-of.ts";

/** Replaces what is there; never through a link, even one that came a moment ago. */
const REPLACE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/** Writes the files below `folder`, and says each on standard output. Links are to be refused before. */
export async function writeRendered(folder: string, files: readonly RenderedFile[]): Promise<void> {
  for (const { path, text } of files) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { flag: REPLACE });
    process.stdout.write(`${file}\n`);
  }
}
