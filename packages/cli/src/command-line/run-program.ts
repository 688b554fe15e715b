import { asErrors, ConfigError, isJournal } from "@reveille/runtime";
import { type Command, CommanderError } from "commander";

import { program } from "./program.ts";
import { reasonOf } from "../terminal/reason-of.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { usageMistake } from "./usage-mistake.ts";

/**
 * Runs the command that the process was started with. Any failure is told on standard error: code 2 for a wrong command
 * line, 1 for what could not be done.
 */
export async function runProgram(): Promise<void> {
  const reveille = program();
  try {
    await reveille.parseAsync();
  } catch (error) {
    // Of `--help` and `--version`, which have been answered.
    if (error instanceof CommanderError && error.exitCode === 0) return;
    const said = sayOf(error, reveille);
    process.stderr.write(`${isJournal(2) ? asErrors(said) : said}\n`);
    process.exitCode = error instanceof CommanderError || error instanceof UsageError ? 2 : 1;
  }
}

/** For an operator: mistakes of the configuration stand for themselves, all else says its causes. */
function sayOf(error: unknown, reveille: Command): string {
  if (error instanceof CommanderError) return usageMistake(error, reveille, process.argv.slice(2));
  return error instanceof ConfigError ? error.message : `reveille: ${reasonOf(error)}`;
}
