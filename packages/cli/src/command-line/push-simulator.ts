import { type Command } from "commander";

export function addPushSimulator(reveille: Command): void {
  reveille
    .command("push-simulator")
    .alias("apns-simulator")
    .description("answer pushes as Apple or Google does, for tests, demo and load")
    .argument("[options...]", "its own options; --help lists them")
    .helpOption(false)
    .allowUnknownOption()
    .action(async (args: readonly string[]) =>
      (await import("../commands/push-simulator.ts")).pushSimulator(args),
    )
    .addHelpText(
      "after",
      `
Examples:
  reveille push-simulator --help
  reveille push-simulator --port 8443 --ca-out simulator-ca.pem`,
    );
}
