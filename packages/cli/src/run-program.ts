import { ConfigError } from "@reveille/runtime";

import { program } from "./program.ts";
import { reasonOf } from "./reason-of.ts";

/** Does what the command line asks; a failure goes to stderr and into the exit code. */
export async function runProgram(): Promise<void> {
  try {
    await program().parseAsync();
  } catch (error) {
    process.stderr.write(`${sayOf(error)}\n`);
    process.exitCode = 1;
  }
}

/** For an operator: mistakes of the configuration stand for themselves, all else says its causes. */
function sayOf(error: unknown): string {
  return error instanceof ConfigError ? error.message : `reveille: ${reasonOf(error)}`;
}
