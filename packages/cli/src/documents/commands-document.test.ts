import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { type Command } from "commander";
import { describe, expect, it } from "vitest";

import { program } from "../command-line/program.ts";

const root = join(import.meta.dirname, "../../../..");
const documents = globSync("**/*.md", {
  cwd: root,
  exclude: ["**/node_modules/**", "test/output/**", ".reveille/**"],
});

/** Lines of shell blocks that run the executable, without what the shell does around them. */
const commandLines = (text: string): readonly string[] =>
  [...text.matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)]
    .flatMap(([, block = ""]) => block.split("\n").map((line) => line.trim()))
    .filter((line) => /^(?:pnpm )?reveille /.test(line) && !line.includes("…"))
    .map((line) =>
      line
        .replace(/^(?:pnpm )?reveille /, "")
        .replace(/\s+#.*$/, "")
        .replace(/\s*[<>|].*$/, ""),
    );

/** Commands that stand in the midst of a text, as `reveille token status|forget`, also of one in a template. */
const namedIn = (text: string): readonly string[] =>
  [...text.matchAll(/`reveille ([a-z][^`\\\n]*)\\?`/g)].flatMap(([, words = ""]) => {
    const [, before = "", alternatives, after = ""] = /^(.*?)(\S+\|\S+)(.*)$/.exec(words) ?? [];
    return alternatives?.split("|").map((one) => before + one + after) ?? [words];
  });

/** What is no command or no option of it. */
function strangeIn(text: string): readonly string[] {
  const words = text.split(/\s+/);
  const command = leafOf(program(), words);
  const isNoCommand = command.parent === null || (command.commands.length > 0 && /^\w/.test(words[0] ?? ""));
  const options = [...command.options.map(({ long }) => long), "--help"];
  const unknown = words.filter((word) => word.startsWith("--") && !options.includes(word));
  return [
    ...(isNoCommand ? [`${text}: no command`] : []),
    ...unknown.map((word) => `${text}: unknown ${word}`),
  ];
}

/** What the executable would say against a command line. */
function mistakesIn(line: string): readonly string[] {
  const words = line.split(/\s+/).filter((word) => word !== "");
  const command = leafOf(program(), words);
  if (command.parent === null) return [`${line}: no command`];
  // Its options are its own.
  if (command.name() === "push-simulator") return [];
  const { operands, unknown } = command.parseOptions(words);
  const missing = command.options.filter(({ mandatory, long }) => mandatory && !words.includes(long ?? ""));
  const wanted = command.registeredArguments;
  const least = wanted.filter(({ required }) => required).length;
  const isCountRight =
    operands.length >= least && (operands.length <= wanted.length || wanted.at(-1)?.variadic === true);
  return [
    ...unknown.map((word) => `${line}: unknown ${word}`),
    ...missing.map(({ long }) => `${line}: missing ${long}`),
    ...(isCountRight ? [] : [`${line}: wrong number of arguments`]),
  ];
}

/** Follows the names of commands, which it takes out of `words`. */
function leafOf(command: Command, words: string[]): Command {
  const next = command.commands.find((one) => one.name() === words[0]);
  if (next === undefined) return command;
  words.shift();
  return leafOf(next, words);
}

const leavesOf = (command: Command): readonly Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf);

const pathOf = (command: Command): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;

function sectionOf(command: Command): string {
  command.configureOutput({ getOutHelpWidth: () => 110 });
  let help = "";
  command.configureOutput({ writeOut: (text) => (help += text), getOutHelpWidth: () => 110 });
  command.outputHelp();
  return `## ${pathOf(command)}\n\n\`\`\`\n${help.trim()}\n\`\`\`\n`;
}

const INTRODUCTION = `# Commands

What \`reveille COMMAND --help\` prints, for every command. This file is made by a test
(\`packages/cli/src/documents/commands-document.test.ts\`); \`pnpm test:unit --update commands-document\` rewrites it.

Exit codes: 0 if it is done and all is well; 1 if it could not be done, or something is wrong; 2 if the command line is wrong, and
nothing was done. The reason is on standard error: the mistake first, then one hint.
`;

describe("docs/commands.md", () => {
  it("shows every command as it describes itself", async () => {
    const text = [INTRODUCTION, ...leavesOf(program()).map(sectionOf)].join("\n");
    await expect(text).toMatchFileSnapshot(join(root, "docs/commands.md"));
  });
});

describe("every document", () => {
  it.each(documents)("%s shows command lines that the executable takes", (file) => {
    expect(commandLines(readFileSync(join(root, file), "utf8")).flatMap(mistakesIn)).toEqual([]);
  });

  it.each(documents)("%s names commands that there are", (file) => {
    expect(namedIn(readFileSync(join(root, file), "utf8")).flatMap(strangeIn)).toEqual([]);
  });

  it("is read: there are command lines in them", () => {
    const lines = documents.flatMap((file) => commandLines(readFileSync(join(root, file), "utf8")));
    expect(lines.length).toBeGreaterThan(5);
    expect(mistakesIn("queue status --jsn")).toEqual(["queue status --jsn: unknown --jsn"]);
    expect(mistakesIn("worker")).toEqual(["worker: missing --config"]);
    expect(mistakesIn("wrker --config x")).toEqual(["wrker --config x: no command"]);
    expect(["queue satus", "wrker", "drain --udno"].flatMap(strangeIn)).toEqual([
      "queue satus: no command",
      "wrker: no command",
      "drain --udno: unknown --udno",
    ]);
  });
});

describe("what our programs say", () => {
  const sources = globSync("packages/*/src/**/!(*.test).ts", { cwd: root });
  const named = sources.flatMap((file) => namedIn(readFileSync(join(root, file), "utf8")));

  it("names commands that there are", () => {
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((words) => !words.includes("${")).flatMap(strangeIn)).toEqual([]);
  });
});
