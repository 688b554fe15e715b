import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const output = join(root, "test/output");
const run = promisify(execFile);

interface Example {
  readonly name: string;
  readonly code: string;
}

/** Every block of TypeScript in a document. */
const examples: readonly Example[] = globSync(
  ["*.md", "docs/**/*.md", "packages/*/README.md", "test/**/*.md"],
  {
    cwd: root,
  },
).flatMap((file) =>
  [...readFileSync(join(root, file), "utf8").matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(
    ([, code = ""], index) => ({
      name: `${file} ${index + 1}`,
      code,
    }),
  ),
);

const fileOf = (folder: string, { name }: Example): string =>
  join(folder, `${name.replaceAll(/[^\w]+/g, "-")}.ts`);

const SILENT = { stdout: "", stderr: "" };

/** What a program that failed has said. */
const told = (error: unknown): unknown =>
  error instanceof Error && "stdout" in error ? `${error.message}\n${String(error.stdout)}` : error;

describe("examples in documents", () => {
  let folder: string;

  beforeAll(async () => {
    await mkdir(output, { recursive: true });
    // Inside the repository, so that packages are found as they are by whoever copies the example.
    folder = await mkdtemp(join(output, "examples-"));
    for (const example of examples) await writeFile(fileOf(folder, example), example.code);
    const settings = {
      extends: "../../../tsconfig.base.json",
      include: ["*.ts", "../../../packages/*/src/**/*.d.ts"],
    };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(settings));
  });
  afterAll(async () => rm(folder, { recursive: true }));

  it("are there", () => {
    expect(examples.length).toBeGreaterThan(0);
  });

  it("are right by their types", async () => {
    const compiler = join(root, "node_modules/.bin/tsc");
    expect(await run(compiler, ["-p", folder], { cwd: root }).catch(told)).toEqual(SILENT);
  });

  it.each(examples)("run: $name", async (example) => {
    const ran = run(process.execPath, [fileOf(folder, example)], { cwd: root });
    expect(await ran.catch(told)).toEqual(SILENT);
  });
});
