import { type Command } from "commander";

/** `front`, `ingress`, `worker`, `sidecar`: each loads its own parts only; a sidecar has no use for BullMQ. */
export function addRoles(reveille: Command): void {
  addRole(reveille, {
    name: "front",
    does: "take streams of users' servers (s2s) and pass stanzas to the ingresses (XEP-0114)",
    run: async (file) => (await import("../commands/front.ts")).runFront(file),
  });
  addRole(reveille, {
    name: "ingress",
    does: "take publishes from the front (XEP-0114) and put wakeups into the queue",
    run: async (file) => (await import("../commands/ingress.ts")).runIngress(file),
  });
  addRole(reveille, {
    name: "worker",
    does: "drain the queue into APNs; run as many as wanted",
    run: async (file) => (await import("../commands/worker.ts")).runWorker(file),
  });
  addRole(reveille, {
    name: "sidecar",
    does: "serve metrics and health of this host's roles",
    run: async (file) => (await import("../commands/sidecar.ts")).runSidecar(file),
  });
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
