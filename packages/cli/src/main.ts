import { ConfigError } from "@reveille/runtime";

import { program } from "./program.ts";
import { reasonOf } from "./reason-of.ts";

try {
  await program().parseAsync();
} catch (error) {
  process.stderr.write(`${sayOf(error)}\n`);
  process.exitCode = 1;
}

/** For an operator: mistakes of the configuration stand for themselves, all else says its causes. */
function sayOf(error: unknown): string {
  return error instanceof ConfigError ? error.message : `reveille: ${reasonOf(error)}`;
}
