import { Argument, type Command } from "commander";

import { describeCommand } from "../documents/described.ts";

type Shell = "bash" | "zsh" | "fish";

/** What is made from the definitions of all commands: completions of shells, and the manual page. */
export function addDocuments(reveille: Command): void {
  reveille
    .command("completion")
    .description("print what a shell needs to complete our commands and options")
    .addArgument(new Argument("<shell>").choices(["bash", "zsh", "fish"]))
    .action(async (shell: Shell) =>
      (await import("../commands/documents.ts")).printCompletion(shell, describeCommand(reveille)),
    )
    .addHelpText(
      "after",
      `
Examples:
  reveille completion bash > /etc/bash_completion.d/reveille
  reveille completion zsh > /usr/local/share/zsh/site-functions/_reveille
  reveille completion fish > /etc/fish/completions/reveille.fish`,
    );
  reveille
    .command("man")
    .description("print the manual page of all commands")
    .action(async () => (await import("../commands/documents.ts")).printManual(describeCommand(reveille)))
    .addHelpText(
      "after",
      `
Examples:
  reveille man | man -l -
  reveille man > /usr/local/share/man/man1/reveille.1`,
    );
}
