import { type Command } from "commander";

import { withOperatorOptions } from "./with-operator-options.ts";
import { type DrainOptions } from "../commands/drain.ts";

export function addDrain(reveille: Command): void {
  withOperatorOptions(reveille.command("drain"))
    .description("send this host's traffic to the other one, before its roles are stopped for maintenance")
    .option("--undo", "take the host back into service", false)
    .option("--always", "drain a front of ours although no other host is ready", false)
    .option("--haproxy <socket>", "HAProxy's command socket on this host", "/run/haproxy/admin.sock")
    .action(async (options: DrainOptions) => (await import("../commands/drain.ts")).runDrain(options))
    .addHelpText(
      "after",
      `
Run it as root. The roles run on and finish what they have in hand; the command ends when this host has got no publish for 3 s, and
they may be stopped then.
- A front of ours stops listening, closes its streams in form and answers what is on its way. It refuses while no other host is
  ready, unless --always says so: users' servers are refused a connection then, and some drop registrations.
- With Prosody or ejabberd as front, HAProxy passes new streams of users' servers to the other host's front from now on; those that
  are here are closed one by one, each in a moment when nothing is on its way in it. Then /ready says 503, and HAProxy cuts what is
  left. Without a HAProxy on this host, or without another front to pass streams to, /ready says 503 at once.
Examples:
  reveille drain && systemctl stop reveille.target
  systemctl start reveille.target && reveille drain --undo`,
    );
}
