import { execFileSync } from "node:child_process";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { allOf, describeCommand } from "./described.ts";
import { bashCompletion } from "../completion/bash.ts";
import { fishCompletion } from "../completion/fish.ts";
import { zshCompletion } from "../completion/zsh.ts";
import { manPage } from "./man-page.ts";
import { program } from "../command-line/program.ts";

const reveille = describeCommand(program());
const everyName = allOf(reveille).flatMap(({ path }) => path.slice(-1));

const withFile = async <Result>(text: string, use: (file: string) => Result): Promise<Result> => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-documents-"));
  const file = join(folder.path, "document");
  await writeFile(file, text);
  return use(file);
};

describe("completion in bash", () => {
  /** What bash offers at the end of these words. */
  const offered = async (...words: readonly string[]): Promise<readonly string[]> =>
    withFile(bashCompletion(reveille), (file) => {
      const typed = ["reveille", ...words].map((word) => `'${word}'`).join(" ");
      const script = `set -u; source ${file}; COMP_WORDS=(${typed}); COMP_CWORD=${words.length}; _reveille; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return execFileSync("bash", ["--norc", "-c", script], { encoding: "utf8" }).trim().split("\n");
    });

  it("offers the commands, those of a group, and the options of one", async () => {
    expect(await offered("")).toEqual(expect.arrayContaining(["ingress", "doctor", "queue", "--version"]));
    expect(await offered("do")).toEqual(["doctor", "domain"]);
    expect(await offered("queue", "")).toEqual(
      expect.arrayContaining(["status", "pause", "resume", "discard"]),
    );
    expect(await offered("queue", "pause", "--")).toEqual(["--config", "--json", "--help"]);
    expect(await offered("queue", "--config", "/etc/x", "re")).toEqual(["resume"]);
    expect(await offered("doctor", "--p")).toEqual(["--peer"]);
  });

  it("passes shellcheck", async () => {
    await withFile(bashCompletion(reveille), (file) => {
      expect(execFileSync("shellcheck", ["--shell=bash", file], { encoding: "utf8" })).toBe("");
    });
  });
});

describe("completion in zsh and fish", () => {
  it.each([
    ["zsh", "--no-exec", zshCompletion(reveille)],
    ["fish", "--no-execute", fishCompletion(reveille)],
  ])("%s takes the script", async (shell, onlyRead, text) => {
    await withFile(text, (file) => execFileSync(shell, [onlyRead, file], { encoding: "utf8" }));
    for (const name of everyName) expect(text).toMatch(new RegExp(`\\b${name}\\b`));
  });

  it("fish offers commands, those of a group, and options", async () => {
    const offered = async (typed: string) =>
      withFile(fishCompletion(reveille), (file) =>
        execFileSync(
          "fish",
          ["--no-config", "--command", `source ${file}; complete --do-complete '${typed}'`],
          {
            encoding: "utf8",
          },
        )
          .split("\n")
          .map((line) => line.replace(/\t.*/, "")),
      );
    expect(await offered("reveille do")).toEqual(expect.arrayContaining(["doctor", "domain"]));
    expect(await offered("reveille queue ")).toEqual(
      expect.arrayContaining(["status", "pause", "resume", "discard"]),
    );
    expect(await offered("reveille queue ")).not.toContain("doctor");
    expect(await offered("reveille doctor --p")).toEqual(expect.arrayContaining(["--peer"]));
  });
});

describe("the manual page", () => {
  it("is the one in docs", async () => {
    const committed = join(import.meta.dirname, "../../../../docs/reveille.1");
    await expect(manPage(reveille, "VERSION")).toMatchFileSnapshot(committed);
  });

  it("is read by groff without a warning, and shows every command with its options", async () => {
    const page = await withFile(manPage(reveille, "1.2.3"), (file) =>
      execFileSync("groff", ["-man", "-ww", "-Tascii", "-P-cbou", "-rLL=200n", file], { encoding: "utf8" }),
    );
    for (const { path, commands, options } of allOf(reveille)) {
      if (commands.length > 0) continue;
      expect(page).toContain(`reveille ${path.join(" ")}`);
      for (const { flags } of options.filter(({ long }) => long !== "--help")) expect(page).toContain(flags);
    }
    expect(page).toContain("reveille queue discard --yes");
    expect(page).toContain("1.2.3");
  });
});

describe("the help of every command", () => {
  it("shows an example of just that command", () => {
    const leaves = allOf(reveille).filter(({ commands }) => commands.length === 0);
    const without = leaves.filter(
      ({ path, remarks }) =>
        !new RegExp(`^ {2}(?:.*[|;&] )?reveille ${path.join(" ")}(?: |$)`, "m").test(remarks),
    );
    expect(without.map(({ path }) => path.join(" "))).toEqual([]);
  });
});
