import { type Command } from "commander";

import { type OperatorOptions, withOperatorOptions } from "./operator-options.ts";

export interface DrainOptions extends OperatorOptions {
  /** Take the host back into service instead. */
  readonly undo: boolean;
}

export function addDrain(reveille: Command): void {
  withOperatorOptions(reveille.command("drain"))
    .description("send this host's traffic to the other one, before its roles are stopped for maintenance")
    .option("--undo", "take the host back into service", false)
    .action(async (options: DrainOptions) => (await import("../commands/drain.ts")).runDrain(options))
    .addHelpText(
      "after",
      `
/ready says 503 from now on, HAProxy moves the streams of users' servers, and the command ends when this host has got
no publish for 3 s. The roles run on and finish what they have in hand; they may be stopped then.
Examples:
  reveille drain && systemctl stop reveille.target
  systemctl start reveille.target && reveille drain --undo`,
    );
}
