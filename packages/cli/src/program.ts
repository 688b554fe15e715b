import { Command } from "commander";

import { VERSION } from "./version.ts";

/**
 * The executable's commands; every role of a host is one of them. Each loads its own parts only: a sidecar has no use
 * for BullMQ.
 */
export function program(): Command {
  const reveille = new Command("reveille")
    .description("A push cluster for XMPP: wakes sleeping iOS and macOS devices through APNs (XEP-0357).")
    .version(VERSION)
    .showHelpAfterError();

  addRole(reveille, {
    name: "ingress",
    does: "take publishes from the front (XEP-0114) and put wakeups into the queue",
    run: async (file) => (await import("./commands/ingress.ts")).runIngress(file),
  });
  addRole(reveille, {
    name: "worker",
    does: "drain the queue into APNs; run as many as wanted",
    run: async (file) => (await import("./commands/worker.ts")).runWorker(file),
  });
  addRole(reveille, {
    name: "sidecar",
    does: "serve metrics and health of this host's roles",
    run: async (file) => (await import("./commands/sidecar.ts")).runSidecar(file),
  });

  reveille
    .command("check-config")
    .description("print the effective configuration, or every mistake in it with its line")
    .argument("<file>", "configuration of this host (YAML)")
    .action(async (file: string) => (await import("./commands/check-config.ts")).checkConfig(file))
    .addHelpText("after", "\nExample:\n  reveille check-config /etc/reveille/reveille.yaml");

  reveille
    .command("apns-simulator")
    .description("answer pushes as Apple does, for tests, demo and load")
    .argument("[options...]", "its own options; --help lists them")
    .helpOption(false)
    .allowUnknownOption()
    .action(async (args: readonly string[]) =>
      (await import("./commands/apns-simulator.ts")).apnsSimulator(args),
    );

  return reveille;
}

interface RoleCommand {
  readonly name: string;
  readonly does: string;
  readonly run: (configFile: string) => Promise<void>;
}

function addRole(parent: Command, { name, does, run }: RoleCommand): void {
  parent
    .command(name)
    .description(does)
    .requiredOption("--config <file>", "configuration of this host (YAML)")
    .action(async ({ config }: { readonly config: string }) => run(config))
    .addHelpText(
      "after",
      `
SIGTERM drains and stops; a second one stops at once.

Example:
  reveille ${name} --config /etc/reveille/reveille.yaml`,
    );
}
