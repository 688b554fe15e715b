import { ConfigError } from "@reveille/runtime";

import { program } from "./program.ts";

try {
  await program().parseAsync();
} catch (error) {
  process.stderr.write(`${sayOf(error)}\n`);
  process.exitCode = 1;
}

/** For an operator: mistakes of the configuration stand for themselves, all else says its causes. */
function sayOf(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  const messages: string[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) messages.push(cause.message);
  return `reveille: ${messages.join("\n  because: ")}`;
}
