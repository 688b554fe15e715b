import { type Command } from "commander";

import { withOperatorOptions } from "./with-operator-options.ts";
import { type ReloadOptions } from "../commands/reload.ts";

export function addReload(reveille: Command): void {
  withOperatorOptions(reveille.command("reload"))
    .description(
      "have this host's roles take over the configuration and the credentials as the files have them now",
    )
    .option("--pid <pid>", "only this process, as `systemctl reload` of its unit asks for")
    .action(async (options: ReloadOptions) => (await import("../commands/reload.ts")).runReload(options))
    .addHelpText(
      "after",
      `
Modules, credentials, windows, limits and the log's level apply at once, without losing a publish or a push. What needs
a restart is named: the canary and the sidecar read their configuration only when they start. A file with a mistake changes
nothing. Secrets that systemd has copied for a role are copied again if they have changed, which needs root; a changed
credential of a module is used once Apple or Google has accepted it, and refused otherwise. SIGHUP copies no secrets.
Exit code: 0 if every role that runs here has taken the configuration over; 1 if one refuses, does not answer, is not
reached, or does not see a changed secret.
Examples:
  reveille reload
  systemctl reload 'reveille-*'   # each unit for itself; what a role answers is in its journal`,
    );
}
