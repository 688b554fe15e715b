import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { isRunning, Program, type ProgramOptions } from "@reveille/testkit";

const run = promisify(execFile);
const ip = async (...args: readonly string[]): Promise<string> => (await run("ip", args)).stdout;

/** Why machines cannot be played here; `undefined` if they can. */
export async function whyNoNamespaces(): Promise<string | undefined> {
  const trial = `rv-${process.pid}-trial`;
  try {
    await ip("netns", "add", trial);
    await ip("netns", "del", trial);
    await run("nft", ["--version"]);
    return undefined;
  } catch (error) {
    return `needs root, network namespaces and nft: ${String(error).trim()}`;
  }
}

/**
 * A network that exists in namespaces only: machines with one interface each, on a switch in a namespace of its own, so
 * that nothing shows in the network of the computer. Disposing removes all; what a killed run left, the next one sweeps.
 */
export class Network implements AsyncDisposable {
  static #opened = 0;
  /** Of its own for each network of this process, since several may be there at once. */
  readonly #prefix = `rv-${process.pid}-${(Network.#opened += 1)}-`;
  readonly #resolver: string;
  /** Has the switch, and reaches every machine. */
  readonly hub: Machine;

  private constructor(resolver: string) {
    this.#resolver = resolver;
    this.hub = this.#named("hub", HUB_ADDRESS);
  }

  /** `folder` is for a file that leads to the hub as DNS. */
  static async open(folder: string): Promise<Network> {
    await sweepOthers();
    const resolver = join(folder, "resolv.conf");
    await writeFile(resolver, `nameserver ${HUB_ADDRESS}\n`);
    const network = new Network(resolver);
    const { namespace } = network.hub;
    await ip("netns", "add", namespace);
    await ip("-n", namespace, "link", "set", "lo", "up");
    await ip("-n", namespace, "link", "add", "switch", "type", "bridge");
    await ip("-n", namespace, "addr", "add", `${HUB_ADDRESS}/24`, "dev", "switch");
    await ip("-n", namespace, "link", "set", "switch", "up");
    return network;
  }

  async machine(name: string, address: string): Promise<Machine> {
    const machine = this.#named(name, address);
    const { namespace } = machine;
    await ip("netns", "add", namespace);
    const hub = this.hub.namespace;
    await ip("link", "add", "eth0", "netns", namespace, "type", "veth", "peer", "name", name, "netns", hub);
    await ip("-n", hub, "link", "set", name, "master", "switch", "up");
    await ip("-n", namespace, "link", "set", "lo", "up");
    await ip("-n", namespace, "addr", "add", `${address}/24`, "dev", "eth0");
    await ip("-n", namespace, "link", "set", "eth0", "up");
    return machine;
  }

  #named(name: string, address: string): Machine {
    return new Machine({ name, address, namespace: `${this.#prefix}${name}`, resolver: this.#resolver });
  }

  /** Pulls the cable of a machine. */
  async unplug({ name }: Machine): Promise<void> {
    await ip("-n", this.hub.namespace, "link", "set", name, "down");
  }

  async plugIn({ name }: Machine): Promise<void> {
    await ip("-n", this.hub.namespace, "link", "set", name, "up");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const names = await namespaces();
    await Promise.all(names.filter((name) => name.startsWith(this.#prefix)).map(remove));
  }
}

export const HUB_ADDRESS = "10.77.0.10";

interface MachineParts {
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
  /** A resolv.conf(5). */
  readonly resolver: string;
}

/** A computer of its own, as far as network and host name go. */
export class Machine {
  readonly name: string;
  readonly namespace: string;
  readonly address: string;

  readonly #resolver: string;

  constructor({ name, namespace, address, resolver }: MachineParts) {
    this.name = name;
    this.namespace = namespace;
    this.address = address;
    this.#resolver = resolver;
  }

  /** Starts a program there. */
  async start(options: ProgramOptions): Promise<Program> {
    const { name, command, args = [], ...rest } = options;
    const there = ["netns", "exec", this.namespace, "unshare", "--uts", "sh", "-c"];
    // What is mounted here shows in the namespace of this program only (ip-netns(8)).
    const script = `hostname "$0" && mount --bind ${this.#resolver} /etc/resolv.conf && exec "$@"`;
    return Program.start({
      ...rest,
      name: `${name} of ${this.name}`,
      command: "ip",
      args: [...there, script, this.name, command, ...args],
    });
  }

  /** Drops what leaves this machine, or comes in, and matches; e.g. `tcp dport 6379`. */
  async cut(...matches: readonly string[]): Promise<void> {
    const rules = matches.flatMap((match) => [
      `add rule inet cut out ${match} drop`,
      `add rule inet cut in ${match} drop`,
    ]);
    const table = [
      "add table inet cut",
      "add chain inet cut out { type filter hook output priority 0; }",
      "add chain inet cut in { type filter hook input priority 0; }",
    ];
    await this.#nft([...table, ...rules].join("\n"));
  }

  /** Undoes every `cut`. */
  async mend(): Promise<void> {
    await this.#nft("delete table inet cut");
  }

  /** Counts from now on what comes to this port on connections that others have opened; the result tells it. */
  async countIncoming(port: number): Promise<() => Promise<Incoming>> {
    const chain = "add chain inet seen in { type filter hook input priority 0; }";
    const counters = [
      ["opened", `tcp dport ${port} tcp flags & (syn | ack) == syn`],
      ["carried", `tcp dport ${port}`],
    ] as const;
    const lines = counters.flatMap(([name, match]) => [
      `add counter inet seen ${name}`,
      `add rule inet seen in ${match} counter name ${name}`,
    ]);
    await this.#nft(["add table inet seen", chain, ...lines].join("\n"));
    return async () => {
      const text = await this.#nft("list counters table inet seen");
      const of = (name: string, unit: string): number =>
        Number(new RegExp(`counter ${name} \\{[^}]*${unit} (\\d+)`).exec(text)?.[1]);
      return { connections: of("opened", "packets"), bytes: of("carried", "bytes") };
    };
  }

  async #nft(script: string): Promise<string> {
    const running = run("ip", ["netns", "exec", this.namespace, "nft", "-f", "-"]);
    running.child.stdin?.end(script);
    return (await running).stdout;
  }
}

/** What has come to a port; of IP packets. */
export interface Incoming {
  readonly connections: number;
  readonly bytes: number;
}

const namespaces = async (): Promise<readonly string[]> =>
  (await ip("netns", "list")).split("\n").map((line) => line.split(" ")[0] ?? "");

/** Removes the namespaces of runs that are over. */
async function sweepOthers(): Promise<void> {
  for (const name of await namespaces()) {
    const pid = Number(/^rv-(\d+)-/.exec(name)?.[1]);
    if (!Number.isInteger(pid) || pid === process.pid || (await isRunning(pid))) continue;
    await remove(name);
  }
}

/** Removes a namespace, and the processes in it. */
async function remove(name: string): Promise<void> {
  for (const pid of (await ip("netns", "pids", name)).split("\n").filter(Boolean)) kill(Number(pid));
  await ip("netns", "del", name);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
