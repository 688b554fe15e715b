import { type Command } from "commander";

import { type OperatorOptions } from "../role/operator-options.ts";
import { withOperatorOptions } from "./with-operator-options.ts";

export function addPrivacy(reveille: Command): void {
  const privacy = reveille.command("privacy").description("what is known of people, and for how long");
  withOperatorOptions(
    privacy.command("report").description("print what this region keeps, where, and for how long"),
  )
    .action(async (options: OperatorOptions) =>
      (await import("../commands/privacy.ts")).runPrivacyReport(options),
    )
    .addHelpText(
      "after",
      `
Times are those of this host's configuration; keys are counted in the region's Redis as it is now, and exit code 1 says
that one stands there which should not. Only a log level that writes fingerprints and the counts change with use.

Examples:
  reveille privacy report
  reveille privacy report --json --config /etc/reveille/reveille.yaml`,
    );
}
