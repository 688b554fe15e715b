import { type Command } from "commander";

/** A command as documents of all kinds need it, read from its definition. */
export interface Described {
  /** Names below the executable's, e.g. `["queue", "pause"]`; empty for the executable itself. */
  readonly path: readonly string[];
  readonly description: string;
  /** Commands below it; without any it is one that does something. */
  readonly commands: readonly Described[];
  readonly options: readonly DescribedOption[];
  /** What stands after its name, e.g. `<plan>`. */
  readonly operands: readonly string[];
  /** What its help says after the options: remarks and examples. */
  readonly remarks: string;
}

export interface DescribedOption {
  /** As in the definition, e.g. `--config <file>`. */
  readonly flags: string;
  readonly long: string;
  readonly takesValue: boolean;
  /** With its default and the variable that stands in for it. */
  readonly description: string;
}

export function describeCommand(command: Command, path: readonly string[] = []): Described {
  return {
    path,
    description: command.description(),
    commands: command.commands.map((one) => describeCommand(one, [...path, one.name()])),
    options: optionsOf(command),
    operands: command.registeredArguments.map((argument) => command.createHelp().argumentTerm(argument)),
    remarks: remarksOf(command),
  };
}

function optionsOf(command: Command): readonly DescribedOption[] {
  const help = command.createHelp();
  return help.visibleOptions(command).flatMap((option) => {
    const { flags, long, required, optional } = option;
    if (long === undefined || long === null) return [];
    return [{ flags, long, description: help.optionDescription(option), takesValue: required || optional }];
  });
}

/** Commander keeps what was added to the help in listeners: the whole help, without what stands before, is that text. */
function remarksOf(command: Command): string {
  let help = "";
  command.configureOutput({ writeOut: (text) => (help += text) });
  command.outputHelp();
  return help.slice(command.helpInformation().length).trim();
}

/** The command and all below it, top-down. */
export const allOf = (command: Described): readonly Described[] => [
  command,
  ...command.commands.flatMap(allOf),
];
