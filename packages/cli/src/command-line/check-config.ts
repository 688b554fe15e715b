import { type Command } from "commander";

export function addCheckConfig(reveille: Command): void {
  reveille
    .command("check-config")
    .description("print the effective configuration, or every mistake in it with its line")
    .argument("<file>", "configuration of this host (YAML)")
    .action(async (file: string) => (await import("../commands/check-config.ts")).checkConfig(file))
    .addHelpText("after", "\nExample:\n  reveille check-config /etc/reveille/reveille.yaml");
}
