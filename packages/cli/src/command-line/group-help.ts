import { type Command } from "commander";

/**
 * Puts remarks and examples below the help of a group of commands, and below that of each command the remarks with the
 * examples that show it. `remarks` may be empty.
 */
export function addGroupHelp(group: Command, remarks: string, examples: readonly string[]): void {
  group.addHelpText("after", textOf(remarks, examples));
  for (const command of group.commands) {
    const start = `reveille ${group.name()} ${command.name()}`;
    const own = examples.filter((example) => `${example} `.startsWith(`${start} `));
    command.addHelpText("after", textOf(remarks, own));
  }
}

const textOf = (remarks: string, examples: readonly string[]): string =>
  [
    "",
    ...(remarks === "" ? [] : [remarks]),
    examples.length === 1 ? "Example:" : "Examples:",
    ...examples.map((example) => `  ${example}`),
  ].join("\n");
