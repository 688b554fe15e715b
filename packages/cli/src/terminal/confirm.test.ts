import { PassThrough } from "node:stream";

import { describe, expect, it } from "vitest";

import { confirm } from "./confirm.ts";
import { UsageError } from "./usage-error.ts";

const HITS = "block ends the registrations of 3 devices";

function aTerminal(answer: string, isTTY = true) {
  const input = Object.assign(new PassThrough(), { isTTY });
  const output = new PassThrough();
  input.end(answer);
  return { terminal: { input, output }, said: () => String(output.read()) };
}

describe("a command that ends registrations", () => {
  it("says whom it hits, and goes on after `yes`", async () => {
    const { terminal, said } = aTerminal("yes\n");
    await confirm(HITS, false, terminal);
    expect(said()).toBe(`${HITS}.\nType yes to do it: `);
  });

  it.each(["no\n", "y\n", "\n", ""])("does nothing after %j", async (answer) => {
    await expect(confirm(HITS, false, aTerminal(answer).terminal)).rejects.toThrow("nothing has changed");
  });

  it("does nothing without a terminal, and names the option", async () => {
    const asked = confirm(HITS, false, aTerminal("yes\n", false).terminal);
    await expect(asked).rejects.toThrow(UsageError);
    await expect(asked).rejects.toThrow(
      `${HITS}; nothing has changed. There is no terminal to ask at: add --yes`,
    );
  });

  it("asks nobody with --yes", async () => {
    await expect(confirm(HITS, true, aTerminal("", false).terminal)).resolves.toBeUndefined();
  });
});
