import { access, readFile } from "node:fs/promises";
import { join } from "node:path";

import { askInNetworkOf } from "@reveille/testkit";

import { DNS_ADDRESS } from "./machines.ts";
import { type Machine } from "./namespaces.ts";
import { Part } from "./part.ts";
import { type Site } from "./site.ts";

const SIMULATOR = join(import.meta.dirname, "../../packages/push-simulator/src/main.ts");
const RELAY = join(import.meta.dirname, "relay.ts");

export const APNS_PORT = 8443;
export const APNS_CONTROL_PORT = 8444;

/** A DNS that serves the rendered zones, and the addresses of the users' servers by name. */
export async function startDns(
  site: Site,
  hub: Machine,
  zones: readonly string[],
  servers: Readonly<Record<string, string>>,
): Promise<Part> {
  const texts = await Promise.all(
    zones.map(async (zone) => readFile(join(site.folder, "rendered", zone), "utf8")),
  );
  const records = texts.flatMap((text) => text.split("\n").flatMap(recordOf));
  const senders = Object.entries(servers).map(([name, address]) => `--host-record=${name},${address}`);
  const nothingOfThisMachine = ["--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file="];
  return Part.start(async () =>
    hub.start({
      name: "dns",
      command: "dnsmasq",
      args: [
        "--no-daemon",
        "--log-queries",
        ...nothingOfThisMachine,
        `--listen-address=${DNS_ADDRESS}`,
        "--bind-interfaces",
        "--user=root",
        "--local=/example/",
        ...records,
        ...senders,
      ],
      logFile: site.logFile("dns"),
      debianPackage: "dnsmasq-base",
      ready: async (pid) => askInNetworkOf(pid, { kind: "dns-query", at: { host: DNS_ADDRESS, port: 53 } }),
    }),
  );
}

/** A record of a zone file as dnsmasq takes it. */
function recordOf(line: string): readonly string[] {
  const [owner, , type, ...data] = line.split(" ");
  if (owner === undefined || !owner.endsWith(".")) return [];
  const name = owner.slice(0, -1);
  switch (type) {
    case "SRV": {
      const [priority, weight, port, target = ""] = data;
      return [`--srv-host=${name},${target.slice(0, -1)},${port},${priority},${weight}`];
    }
    case "A":
      return [`--host-record=${name},${data[0]}`];
    case undefined:
    default:
      throw new Error(`a record this test does not know: ${line}`);
  }
}

/** Apple: what clients must trust is in the file that `caFileOf` names. */
export async function startApns(site: Site, machine: Machine): Promise<Part> {
  const { file, keyId, teamId } = site.signingKey;
  const listen = ["--host", machine.address, "--port", `${APNS_PORT}`];
  const control = ["--control-host", machine.address, "--control-port", `${APNS_CONTROL_PORT}`];
  // Some pushes are on their way whenever something breaks.
  const behaviour = ["--latency", "5-50", "--ledger-limit", "1000000"];
  const trust = [
    "--name",
    machine.address,
    "--ca-out",
    caFileOf(site),
    "--key",
    `${keyId}:${teamId}:${file}`,
  ];
  return Part.start(async () =>
    machine.start({
      name: "simulator",
      command: process.execPath,
      args: [SIMULATOR, ...listen, ...control, ...behaviour, ...trust],
      logFile: site.logFile("apns"),
      ready: async (pid) =>
        askInNetworkOf(pid, { kind: "connection", at: { host: machine.address, port: APNS_CONTROL_PORT } }),
    }),
  );
}

export const caFileOf = (site: Site): string => join(site.folder, "apns-ca.pem");

/** Unix sockets that lead to ports in the network, by the name of each. */
export async function startRelay(
  site: Site,
  hub: Machine,
  ports: Readonly<Record<string, string>>,
): Promise<Part> {
  const sockets = Object.keys(ports).map((name) => socketOf(site, name));
  const orders = Object.values(ports).map((address, index) => `${sockets[index]}=${address}`);
  return Part.start(async () =>
    hub.start({
      name: "relay",
      command: process.execPath,
      args: [RELAY, ...orders],
      // Asking by a socket would connect to a program that has not started yet.
      ready: async () => Promise.all(sockets.map(async (socket) => access(socket))),
    }),
  );
}

export const socketOf = (site: Site, name: string): string => join(site.folder, `${name}.sock`);
