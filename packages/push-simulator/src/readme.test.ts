import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

import { describe, expect, it } from "vitest";

import { isDeviceOrder, isGoaway, isRule } from "./control/shapes.ts";

const run = promisify(execFile);
const PACKAGE = `${import.meta.dirname}/../`;
const readme = await readFile(`${PACKAGE}README.md`, "utf8");
const blocksOf = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, "gs"))].map(([, code = ""]) => code);

describe("the README", () => {
  it("shows code that runs", async () => {
    const [code = ""] = blocksOf("ts");
    const args = ["--input-type=module-typescript", "--eval", code];
    expect(await run(process.execPath, args, { cwd: PACKAGE })).toEqual({ stdout: "", stderr: "" });
  });

  it.each([
    ["tokens", isDeviceOrder],
    ["rules", isRule],
    ["goaway", isGoaway],
  ])("shows an order to /_sim/%s that is understood", (path, check) => {
    const [shell = ""] = blocksOf("sh");
    const body = new RegExp(`-d '(.*)' localhost:8444/_sim/${path}`).exec(shell)?.[1] ?? "";
    const problems: string[] = [];
    check(JSON.parse(body), "body", problems);
    expect(problems).toEqual([]);
  });
});
