import { ask, freePort, Program } from "@reveille/testkit";

import { CANARY_DOMAIN, FRONT_HOST, REGION_HOST, SENDER_DOMAIN } from "./names.ts";

/** Ports of 127.0.0.1 the SRV records point to. */
export interface ServerPorts {
  readonly front: number;
  readonly sender: number;
}

export interface Dns extends AsyncDisposable {
  readonly program: Program;
  /** `address:port` it listens on. */
  readonly address: string;
  /** Global options of a Prosody that shall ask this DNS and no other. */
  readonly prosodySettings: string;
}

/** A private DNS that knows the zone `.example` of one local region, on a port of its own. */
export async function startDns(ports: ServerPorts, logFile: string): Promise<Dns> {
  const port = await freePort();
  const program = await Program.start({
    name: "dns",
    command: "dnsmasq",
    args: argumentsOf(port, ports),
    logFile,
    debianPackage: "dnsmasq-base",
    ready: async () => ask({ kind: "dns-query", at: { port } }),
  });
  return {
    program,
    address: `127.0.0.1:${port}`,
    // Without `module-config`, libunbound's validator refuses the unsigned zone; without `forward`, it asks the
    // root servers of the internet.
    prosodySettings: `unbound = {
  resolvconf = false;
  options = { ["module-config:"] = "iterator" };
  forward = { "127.0.0.1@${port}" };
}`,
    [Symbol.asyncDispose]: async () => program.stop(),
  };
}

function argumentsOf(port: number, ports: ServerPorts): readonly string[] {
  const nothingOfThisMachine = ["--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file="];
  const listen = ["--listen-address=127.0.0.1", "--bind-interfaces", `--port=${port}`];
  const zone = [
    "--local=/example/",
    `--address=/${FRONT_HOST}/127.0.0.1`,
    `--address=/${SENDER_DOMAIN}/127.0.0.1`,
    `--srv-host=_xmpp-server._tcp.${REGION_HOST},${FRONT_HOST},${ports.front},10,0`,
    ...[SENDER_DOMAIN, CANARY_DOMAIN].map(
      (domain) => `--srv-host=_xmpp-server._tcp.${domain},${SENDER_DOMAIN},${ports.sender},10,0`,
    ),
  ];
  return ["--no-daemon", ...nothingOfThisMachine, ...listen, ...zone];
}
