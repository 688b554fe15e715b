import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";

import { askInNetworkOf, type CommandLine, inDebianRoot } from "@reveille/testkit";

import { DNS_ADDRESS } from "./machines.ts";
import { type Machine } from "./namespaces.ts";
import { Part } from "./part.ts";
import { type Site } from "./site.ts";

/** What ties a Prosody to these tests: may be root, asks our DNS, trusts our CA, logs to us. */
export const prosodyHere = ({ authority }: Site, data: string, logLevel = "info"): string => `
run_as_root = true
pidfile = nil
data_path = "${data}"
log = { { to = "console", levels = { min = "${logLevel}" } } }
-- Trusts the test CA and nothing else.
ssl = { cafile = "${authority.certificateFile}"; capath = "/nonexistent" }
unbound = {
  resolvconf = false;
  options = { ["module-config:"] = "iterator" };
  forward = { "${DNS_ADDRESS}" };
}
`;

export interface ServerParts {
  readonly site: Site;
  readonly machine: Machine;
  /** Of the program, e.g. `front`. */
  readonly name: string;
  readonly configFile: string;
  /** The files of another Debian release (`debianRoot`), whose program it is. Default: this machine's. */
  readonly root?: string | undefined;
}

/** The command line, of this machine's program or of that in the root folder. */
function commandOf({ site, root }: ServerParts, command: string, args: readonly string[]): CommandLine {
  if (root === undefined) return { command, args };
  const shared = [site.folder, dirname(site.authority.certificateFile)];
  return inDebianRoot({ root, shared, command, args });
}

/** Works when components can connect: that is the port which both kinds of server open last. */
const ready = async (pid: number): Promise<void> =>
  askInNetworkOf(pid, { kind: "connection", at: { host: "127.0.0.1", port: COMPONENT_PORT } });

/** Of fronts and of senders. */
export const COMPONENT_PORT = 5347;

export async function startProsodyOn(parts: ServerParts): Promise<Part> {
  const { site, machine, name, configFile } = parts;
  return Part.start(async () =>
    machine.start({
      name,
      ...commandOf(parts, "prosody", ["-F", "--config", configFile]),
      logFile: site.logFile(`${machine.name}-${name}`),
      debianPackage: "prosody",
      ready,
    }),
  );
}

/** Debian's ejabberd as its own start script runs it, but as the user we are and without Erlang's distribution. */
export async function startEjabberdOn(parts: ServerParts): Promise<Part> {
  const { site, machine, name, configFile } = parts;
  const folder = join(site.folder, machine.name, "ejabberd");
  await mkdir(join(folder, "log"), { recursive: true });
  const args = ["-noinput", "-start_epmd", "false", "-mnesia", "dir", `"${folder}/spool"`, "-s", "ejabberd"];
  return Part.start(async () =>
    machine.start({
      name,
      ...commandOf(parts, "erl", args),
      folder,
      env: {
        ...process.env,
        HOME: folder,
        ERL_LIBS: "/usr/lib/x86_64-linux-gnu",
        EJABBERD_CONFIG_PATH: configFile,
        EJABBERD_LOG_PATH: join(folder, "log/ejabberd.log"),
      },
      logFile: site.logFile(`${machine.name}-${name}`),
      debianPackage: "ejabberd",
      ready,
    }),
  );
}
