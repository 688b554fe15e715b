import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { freePort } from "./addresses.ts";
import { ask } from "./ask.ts";
import { Program } from "./program.ts";

export interface ProsodyOptions {
  /** Component hostnames; `push.localhost` (ours) and `server.localhost` (plays the user's server) unless told. */
  readonly components?: readonly string[];
  /** `debug` unless told. At that level it writes more than it passes on, and whoever started it reads all that. */
  readonly logLevel?: "debug" | "info";
}

/** A real Prosody that speaks XEP-0114 on 127.0.0.1 and nothing else: no clients, no servers. */
export interface TestProsody extends AsyncDisposable {
  /** Where components connect, e.g. `xmpp://127.0.0.1:23456`. */
  readonly service: string;
  readonly port: number;
  /** The secret of all components. */
  readonly secret: string;
  readonly pid: number;
  /** Its log; without stanzas' content. */
  readonly log: () => readonly string[];
  readonly signal: (signal: NodeJS.Signals) => void;
  readonly kill: () => Promise<void>;
  /** Ends it as an administrator does (SIGTERM), or does nothing when it has ended. */
  readonly stop: () => Promise<void>;
  /** Starts it again on the same port, after `kill` or `stop`, or in place of the running one. */
  readonly restart: () => Promise<void>;
}

const SECRET = "component secret of tests";

/** Up in about 50 ms. Needs Debian's `prosody`. */
export async function startProsody(options: ProsodyOptions = {}): Promise<TestProsody> {
  const folder = await mkdtemp(join(tmpdir(), "reveille-prosody-"));
  const port = await freePort();
  const configFile = join(folder, "prosody.cfg.lua");
  await mkdir(join(folder, "data"));
  await writeFile(configFile, configOf(folder, port, options));
  let program = await launchProsody("prosody", configFile, port);

  return {
    service: `xmpp://127.0.0.1:${port}`,
    port,
    secret: SECRET,
    get pid() {
      return program.pid;
    },
    log: () => program.lines.map(({ text }) => text),
    signal: (signal) => program.signal(signal),
    kill: async () => program.kill(),
    stop: async () => program.stop(),
    restart: async () => {
      await program.kill();
      program = await launchProsody("prosody", configFile, port);
    },
    [Symbol.asyncDispose]: async () => {
      await program.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Starts Prosody on a configuration file, and waits until it takes connections on `port` of 127.0.0.1. */
export async function launchProsody(
  name: string,
  configFile: string,
  port: number,
  logFile?: string,
): Promise<Program> {
  return Program.start({
    name,
    command: "prosody",
    args: ["-F", "--config", configFile],
    debianPackage: "prosody",
    ready: async () => ask({ kind: "connection", at: { port } }),
    ...(logFile === undefined ? {} : { logFile }),
  });
}

function configOf(folder: string, port: number, options: ProsodyOptions): string {
  const { components = ["push.localhost", "server.localhost"], logLevel = "debug" } = options;
  const hosts = components.map((host) => `Component "${host}"\n  component_secret = "${SECRET}"\n`);
  return `
run_as_root = true
data_path = "${folder}/data"
log = { { to = "console", levels = { min = "${logLevel}" } } }
modules_disabled = { "s2s", "c2s", "s2s_auth_certs" }
component_ports = { ${port} }
component_interfaces = { "127.0.0.1" }
-- Prosody refuses to start without a host of its own.
VirtualHost "localhost"
${hosts.join("")}`;
}
