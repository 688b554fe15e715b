import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { ask, askInNetworkOf, askRole } from "@reveille/testkit";

import { type Machine } from "./namespaces.ts";
import { Part } from "./part.ts";
import { prosodyHere, startEjabberdOn, startProsodyOn } from "./servers.ts";
import { type Site } from "./site.ts";

export type FrontKind = "prosody" | "ejabberd";

/** A host of the region: every program of it, as its rendered files say. */
export interface Host extends HostRoles {
  readonly redis: Part;
  readonly sentinel: Part;
  readonly haproxy: Part;
}

export interface HostRoles {
  readonly machine: Machine;
  /** In the plan, and of its root folder. */
  readonly name: string;
  readonly front: Part;
  readonly ingress: Part;
  readonly worker: Part;
  readonly sidecar: Part;
}

export interface HostOptions {
  readonly site: Site;
  readonly machine: Machine;
  /** Its name in the plan, and of its root folder. */
  readonly name: string;
  readonly front: FrontKind;
  /** The files of another Debian release, whose program the front is. Default: this machine's. */
  readonly root?: string | undefined;
}

type OneOf = Pick<HostOptions, "site" | "machine" | "name">;

/** Redis alone: the roles of no host start without it. */
export async function startRedisOn({ site, machine, name }: OneOf): Promise<Part> {
  const file = join(site.folder, name, "etc/redis/redis.conf");
  return startOn(site, machine, {
    name: "redis",
    command: "redis-server",
    args: [file],
    ready: async (pid) =>
      askInNetworkOf(pid, { kind: "redis-ping", at: { host: machine.address, port: 6379 } }),
  });
}

export async function startSentinelOn({ site, machine, name }: OneOf): Promise<Part> {
  const file = join(site.folder, name, "etc/redis/sentinel.conf");
  return startOn(site, machine, {
    name: "sentinel",
    command: "redis-server",
    args: [file, "--sentinel"],
    ready: async (pid) =>
      askInNetworkOf(pid, { kind: "redis-ping", at: { host: machine.address, port: 26_379 } }),
  });
}

/** Front and roles, once Redis is there. */
export async function startRoles(options: HostOptions, stack: AsyncDisposableStack): Promise<HostRoles> {
  const { machine } = options;
  const front = stack.use(await startFront(options));
  const [worker, ingress] = await Promise.all([startRole(options, "worker"), startRole(options, "ingress")]);
  for (const part of [worker, ingress]) stack.use(part);
  const sidecar = stack.use(await startRole(options, "sidecar"));
  return { machine, name: options.name, front, ingress, worker, sidecar };
}

async function startFront({ site, machine, name, front, root: debian }: HostOptions): Promise<Part> {
  const root = join(site.folder, name);
  const common = { site, machine, name: "front", root: debian };
  switch (front) {
    case "prosody": {
      const configFile = join(root, "etc/prosody/here.cfg.lua");
      const here = prosodyHere(site, join(root, "var/lib/prosody"));
      await writeFile(configFile, `Include "prosody.cfg.lua"\n${here}`);
      return startProsodyOn({ ...common, configFile });
    }
    case "ejabberd": {
      const configFile = join(root, "etc/ejabberd/ejabberd.yml");
      return startEjabberdOn({ ...common, configFile });
    }
  }
}

/** Last, so that it sees a host that is ready from the start. */
export async function startHaproxyOn({ site, machine, name }: OneOf): Promise<Part> {
  const file = join(site.folder, name, "etc/haproxy/haproxy.cfg");
  return startOn(site, machine, {
    name: "haproxy",
    command: "haproxy",
    args: ["-V", "-db", "-f", file],
    ready: async () =>
      ask({ kind: "haproxy-info", at: { path: join(site.folder, name, "run/haproxy/admin.sock") } }),
  });
}

const CHECKOUT = join(import.meta.dirname, "../..");
const UNITS = join(CHECKOUT, "deploy/systemd");

/** A role as its unit starts it: of the command line nothing changes but where the release and the machine's root are. */
async function startRole({ site, machine, name }: HostOptions, role: "worker" | Once): Promise<Part> {
  const root = join(site.folder, name);
  const unit = role === "worker" ? "reveille-worker@.service" : `reveille-${role}.service`;
  const text = await readFile(join(UNITS, unit), "utf8");
  const line = /^ExecStart=(.+)$/m.exec(text)?.[1] ?? "";
  const [command = "", ...args] = line
    .split(" ")
    .map((word) =>
      word.replace("/opt/reveille/current/", `${CHECKOUT}/`).replace(/^\/etc\//, `${root}/etc/`),
    );
  return startOn(site, machine, {
    name: role,
    command,
    args,
    ready: async (pid) =>
      role === "sidecar"
        ? askInNetworkOf(pid, { kind: "connection", at: { host: machine.address, port: 9464 } })
        : askRole({ role, runtimeDir: join(root, "run/reveille"), pid }),
  });
}

/** Roles that a host has one of. */
type Once = "ingress" | "sidecar";

interface Start {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly ready: (pid: number) => Promise<unknown>;
}

async function startOn(site: Site, machine: Machine, start: Start): Promise<Part> {
  const logFile = site.logFile(`${machine.name}-${start.name}`);
  return Part.start(async () => machine.start({ ...start, logFile }));
}
