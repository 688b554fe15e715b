import { type Command, type CommanderError } from "commander";

/** What is wrong with a command line, and one hint. */
export function usageMistake(
  { code, message }: Pick<CommanderError, "code" | "message">,
  reveille: Command,
  words: readonly string[],
): string {
  const command = commandIn(reveille, words);
  const help = `\`${pathOf(command)} --help\``;
  if (code === "commander.help") {
    const names = command.commands.map((one) => one.name()).join(", ");
    return `${pathOf(command)}: which command? One of: ${names}; see ${help}`;
  }
  const [, told = message, meant] = /^error: ([^\n]*)(?:\n\(Did you mean (.*)\?\))?$/.exec(message) ?? [];
  // What is too much may be a device token.
  const mistake = told.replace(/( but got \d+): .*$/, "$1").replace(/\.$/, "");
  const hint = meant === undefined ? `see ${help}` : `did you mean \`${meant}\`?`;
  return `${pathOf(command)}: ${mistake}; ${hint}`;
}

/** The last command that is named in words. */
function commandIn(command: Command, [word, ...others]: readonly string[]): Command {
  const next = command.commands.find((one) => one.name() === word);
  return next === undefined ? command : commandIn(next, others);
}

const pathOf = (command: Command): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
