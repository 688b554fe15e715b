import { type Command, Option } from "commander";

/** What every command has that an operator runs on a host. */
export interface OperatorOptions {
  /** Path of the host's configuration. */
  readonly config: string;
  /** One JSON object on standard output instead of text. */
  readonly json: boolean;
}

export const withOperatorOptions = (command: Command): Command =>
  command
    .addOption(
      new Option("--config <file>", "configuration of this host (YAML)")
        .env("REVEILLE_CONFIG")
        .default("/etc/reveille/reveille.yaml"),
    )
    .option("--json", "print one JSON object", false);
