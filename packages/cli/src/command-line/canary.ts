import { type Command } from "commander";

import { withOperatorOptions } from "./with-operator-options.ts";
import { type CanaryOptions } from "../commands/canary.ts";

export function addCanary(reveille: Command): void {
  withOperatorOptions(reveille.command("canary"))
    .description("publish to regions as a user's server does, again and again, and watch reply and delivery")
    .option("--once", "one round, with its verdict", false)
    .action(async (options: CanaryOptions) => (await import("../commands/canary.ts")).runCanary(options))
    .addHelpText(
      "after",
      `
It is a component of its own at a front in another place, by the section \`canary\` of the configuration, and tells the
sidecar of this host what it sees. SIGTERM stops it.
Exit code of --once: 0 if every hostname answered, and delivered, as it should; 1 otherwise.
Examples:
  reveille canary --config /etc/reveille/reveille.yaml
  reveille canary --once
  reveille canary --once --json`,
    );
}
