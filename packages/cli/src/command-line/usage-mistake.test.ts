import { execFile } from "node:child_process";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "../main.ts");

const reveille = async (...args: readonly string[]) =>
  new Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>(
    (resolve) => {
      const child = execFile(process.execPath, [MAIN, ...args], (_error, stdout, stderr) =>
        resolve({ code: child.exitCode, stdout, stderr }),
      );
      child.stdin?.end();
    },
  );

describe("a wrong command line", () => {
  it.each([
    ["wrker", "reveille: unknown command 'wrker'; did you mean `worker`?"],
    ["frobnicate", "reveille: unknown command 'frobnicate'; see `reveille --help`"],
    [
      "worker",
      "reveille worker: required option '--config <file>' not specified; see `reveille worker --help`",
    ],
    ["queue status --jsn", "reveille queue status: unknown option '--jsn'; did you mean `--json`?"],
    ["queue stauts", "reveille queue: unknown command 'stauts'; did you mean `status`?"],
    [
      "queue",
      "reveille queue: which command? One of: status, pause, resume, discard; see `reveille queue --help`",
    ],
    [
      "domain block",
      "reveille domain block: missing required argument 'domain'; see `reveille domain block --help`",
    ],
    [
      "completion csh",
      "reveille completion: command-argument value 'csh' is invalid for argument 'shell'. Allowed choices are bash, zsh, fish; see `reveille completion --help`",
    ],
    [
      "check-config a b",
      "reveille check-config: too many arguments for 'check-config'. Expected 1 argument but got 2; see `reveille check-config --help`",
    ],
    [
      "domain limit example.org --rate fast",
      'reveille: not a rate: "fast"; a whole number per s, m or h, for example: --rate 50/s',
    ],
    [
      "domain block not,a,domain --yes",
      `reveille: not a domain: "not,a,domain"; for example: example.org or '*.example.org'`,
    ],
  ])("%s: says the mistake and one hint, in one line, with code 2", async (line, said) => {
    const { code, stdout, stderr } = await reveille(...line.split(" "));
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: "", stderr: `${said}\n` });
  });

  it("is told from one that could not be done, which ends with code 1", async () => {
    const { code, stderr } = await reveille("queue", "status", "--config", "/nowhere.yaml");
    expect(code).toBe(1);
    expect(stderr).toContain("cannot read the configuration /nowhere.yaml");
  });

  it("is not what --help and --version are", async () => {
    expect(await reveille("--version")).toMatchObject({ code: 0, stderr: "" });
    expect(await reveille("queue", "--help")).toMatchObject({ code: 0, stderr: "" });
  });
});
