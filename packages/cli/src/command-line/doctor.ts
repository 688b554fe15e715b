import { type Command, Option } from "commander";

import { withOperatorOptions } from "./with-operator-options.ts";
import { type DoctorOptions } from "../commands/doctor.ts";

export function addDoctor(reveille: Command): void {
  withOperatorOptions(reveille.command("doctor"))
    .description(
      "look at all this host needs: files, Apple and Google, Redis, front, DNS, certificates; say how to mend it",
    )
    .addOption(
      new Option("--dns <server...>", "ask these name servers (address or address:port)").default(
        [],
        "the system's",
      ),
    )
    .option("--ca <file>", "trust these authorities (PEM) too, for certificates in s2s")
    .addOption(
      new Option("--peer <url...>", "sidecars of the region's other hosts").default(
        [],
        "beside the other fronts of the configuration",
      ),
    )
    .action(async (options: DoctorOptions) => (await import("../commands/doctor.ts")).runDoctor(options))
    .addHelpText(
      "after",
      `
Exit code: 0 if nothing fails, 1 otherwise. It pushes to nobody: Apple and Google are asked about a token that cannot exist.
Examples:
  reveille doctor
  reveille doctor --peer http://10.0.0.2:9464 --json`,
    );
}
