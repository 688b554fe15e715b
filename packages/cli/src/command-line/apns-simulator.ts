import { type Command } from "commander";

export function addApnsSimulator(reveille: Command): void {
  reveille
    .command("apns-simulator")
    .description("answer pushes as Apple or Google does, for tests, demo and load")
    .argument("[options...]", "its own options; --help lists them")
    .helpOption(false)
    .allowUnknownOption()
    .action(async (args: readonly string[]) =>
      (await import("../commands/apns-simulator.ts")).apnsSimulator(args),
    )
    .addHelpText(
      "after",
      `
Examples:
  reveille apns-simulator --help
  reveille apns-simulator --port 8443 --ca-out simulator-ca.pem`,
    );
}
