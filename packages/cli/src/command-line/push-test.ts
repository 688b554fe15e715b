import { type Command } from "commander";

import { withOperatorOptions } from "./with-operator-options.ts";
import { type PushTestOptions } from "../commands/push-test.ts";

export function addPushTest(reveille: Command): void {
  withOperatorOptions(reveille.command("push-test"))
    .description("send one push to a device by the region's queue and workers, and say what became of it")
    .requiredOption("--module <name>", "the push module whose app the device runs")
    .option("--within <duration>", "how long to wait for the answer", "60s")
    .action(async (options: PushTestOptions) =>
      (await import("../commands/push-test.ts")).runPushTest(options),
    )
    .addHelpText(
      "after",
      `
The device token is read from standard input: what stands on a command line, other users of the machine can see.
Exit code: 0 if the push service accepted the push, 1 otherwise.
Examples:
  reveille push-test --module monalProdiOS          # asks for the token
  reveille push-test --module monalProdiOS --json < token.txt`,
    );
}
