import { createInterface } from "node:readline/promises";

import { UsageError } from "./usage-error.ts";

/** Where people are asked. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream;
}

/**
 * Asks at the terminal before a command ends registrations or discards pushes; with `yes` nobody is asked. `hits`: whom it hits
 * and how many, a sentence. Throws a {@link UsageError} where there is no terminal, and an Error for any other answer
 * than `yes`.
 */
export async function confirm(
  hits: string,
  yes: boolean,
  { input, output }: Terminal = { input: process.stdin, output: process.stderr },
): Promise<void> {
  if (yes) return;
  if (input.isTTY !== true) {
    throw new UsageError(`${hits}; nothing has changed. There is no terminal to ask at: add --yes to do it`);
  }
  output.write(`${hits}.\nType yes to do it: `);
  const lines = createInterface({ input });
  const answer = await lines[Symbol.asyncIterator]().next();
  lines.close();
  if (answer.done !== true && answer.value.trim().toLowerCase() === "yes") return;
  throw new Error("not confirmed; nothing has changed");
}
