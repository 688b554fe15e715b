import { type Command } from "commander";

import { addGroupHelp } from "./group-help.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { withOperatorOptions } from "./with-operator-options.ts";
import { type BlockOptions, type DeadOptions, type TokenOptions } from "../commands/token.ts";

const REMARKS = `The device token is read from standard input, never from an argument: those stand in the shell's history and in the
list of processes. Or name the device by the fingerprint that the logs show.`;

export function addToken(reveille: Command): void {
  const token = reveille
    .command("token")
    .description("look at one device, forget or block it; count the dead ones");
  withDevice(token.command("status"))
    .description("what is known of the device: when it was woken, or why it gets no pushes")
    .action(async (options: TokenOptions) => (await import("../commands/token.ts")).showToken(options));
  withDevice(token.command("forget"))
    .description(
      "forget what is known of it: its next wakeup leaves at once, that of a dead device within the time of ingress.rememberDead",
    )
    .action(async (options: TokenOptions) => (await import("../commands/token.ts")).forgetToken(options));
  withDevice(token.command("block"))
    .description(
      "wake it no more; its server is told that the token is dead, and forgets the registration; asks first",
    )
    .option("--yes", "do not ask; without it the token must be typed, or named by --fingerprint", false)
    .option("--for <duration>", "how long: ms, s, m, h or d", "30d")
    .action(async (options: BlockOptions) => (await import("../commands/token.ts")).blockToken(options));
  withOperatorOptions(token.command("dead"))
    .description("how many devices are remembered as dead because Apple or Google said so")
    .option("--forget", "forget all of them: the push service is asked about each again at its next wakeup")
    .action(async (options: DeadOptions) => (await import("../commands/token.ts")).deadTokens(options));
  addGroupHelp(token, REMARKS, [
    "reveille token status < token.txt",
    "reveille token status --fingerprint w0897iDQbvKx81_a --json",
    "reveille token forget --fingerprint w0897iDQbvKx81_a",
    "reveille token block --yes --for 7d --module monalProdiOS < token.txt",
    "reveille token dead --json",
  ]);
}

const withDevice = (command: Command): Command =>
  withOperatorOptions(command)
    // Commander's own complaint would repeat what may be a token.
    .allowExcessArguments()
    .hook("preAction", ({ args }) => {
      if (args.length === 0) return;
      throw new UsageError(
        "no argument is taken: the device token is read from standard input, or see --fingerprint",
      );
    })
    .option("--fingerprint <fingerprint>", "instead of the token on standard input")
    .option("--module <module>", "push module (default: defaultModule, or the only one there is)");
