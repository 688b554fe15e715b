import { type Command } from "commander";
import { type ImportOptions } from "../commands/import-fpush.ts";

export function addImportFpush(reveille: Command): void {
  reveille
    .command("import-fpush")
    .description("make our configuration from fpush's, and list what differs")
    .argument("<settings>", "fpush's settings.json; comments and trailing commas may stand in it")
    .option(
      "--out <folder>",
      "write reveille.yaml and the secrets there; without it the configuration is printed",
    )
    .option("--region <name>", "name of the region; else the first part of the component's hostname")
    .option("--host <name>", "name of this host; else `s1.` and the component's hostname")
    .option("--json", "print one JSON object", false)
    .action(async (settings: string, options: ImportOptions) =>
      (await import("../commands/import-fpush.ts")).importFpush(settings, options),
    )
    .addHelpText(
      "after",
      `
fpush has secrets in its settings; here they stand in files of their own, readable for the roles alone. Nothing is
overwritten.
Examples:
  reveille import-fpush /opt/fpush/settings.json
  reveille import-fpush /opt/fpush/settings.json --out /etc/reveille && reveille doctor`,
    );
}
