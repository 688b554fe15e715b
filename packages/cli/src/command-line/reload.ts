import { type Command } from "commander";

import { type OperatorOptions, withOperatorOptions } from "./operator-options.ts";

export function addReload(reveille: Command): void {
  withOperatorOptions(reveille.command("reload"))
    .description(
      "have this host's roles take over the configuration as the file has it now; SIGHUP does the same",
    )
    .action(async (options: OperatorOptions) => (await import("../commands/reload.ts")).runReload(options))
    .addHelpText(
      "after",
      `
Modules, credentials, windows, limits and the log's level apply at once, without losing a publish or a push. What needs
a restart is named. A file with a mistake changes nothing. Exit code: 1 if a role refuses or does not answer.
Examples:
  reveille reload
  systemctl kill --signal=HUP 'reveille-worker@*'   # the same, without the answers`,
    );
}
