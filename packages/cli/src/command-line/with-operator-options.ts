import { type Command, Option } from "commander";

export const withOperatorOptions = (command: Command): Command =>
  command
    .addOption(
      new Option("--config <file>", "configuration of this host (YAML)")
        .env("REVEILLE_CONFIG")
        .default("/etc/reveille/reveille.yaml"),
    )
    .option("--json", "print one JSON object", false);
