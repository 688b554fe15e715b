import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { type Machine } from "./namespaces.ts";
import { Part } from "./part.ts";
import { prosodyHere, startEjabberdOn, startProsodyOn } from "./servers.ts";
import { CLI, type Site } from "./site.ts";

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
  readonly ingresses: readonly Part[];
  readonly worker: Part;
  readonly sidecar: Part;
}

export interface HostOptions {
  readonly site: Site;
  readonly machine: Machine;
  /** Its name in the plan, and of its root folder. */
  readonly name: string;
  readonly front: FrontKind;
}

/** Redis alone: the roles of no host start without it. */
export async function startRedisOn({ site, machine, name }: Omit<HostOptions, "front">): Promise<Part> {
  const file = join(site.folder, name, "etc/redis/redis.conf");
  return startOn(site, machine, {
    name: "redis",
    command: "redis-server",
    args: [file],
    sign: "eady to accept connections",
  });
}

export async function startSentinelOn({ site, machine, name }: Omit<HostOptions, "front">): Promise<Part> {
  const file = join(site.folder, name, "etc/redis/sentinel.conf");
  return startOn(site, machine, {
    name: "sentinel",
    command: "redis-server",
    args: [file, "--sentinel"],
    sign: "+monitor master",
  });
}

/** Front and roles, once Redis is there. */
export async function startRoles(options: HostOptions, stack: AsyncDisposableStack): Promise<HostRoles> {
  const { machine } = options;
  const front = stack.use(await startFront(options));
  const count = options.front === "ejabberd" ? 2 : 1;
  const [worker, ...ingresses] = await Promise.all([
    startRole(options, "worker", "worker"),
    ...Array.from({ length: count }, async (_, index) =>
      startRole(options, "ingress", `ingress-${index + 1}`),
    ),
  ]);
  for (const part of [worker, ...ingresses]) stack.use(part);
  const sidecar = stack.use(await startRole(options, "sidecar", "sidecar"));
  return { machine, name: options.name, front, ingresses, worker, sidecar };
}

async function startFront({ site, machine, name, front }: HostOptions): Promise<Part> {
  const root = join(site.folder, name);
  const common = { site, machine, name: "front" };
  switch (front) {
    case "prosody": {
      const configFile = join(root, "etc/prosody/here.cfg.lua");
      const here = prosodyHere(site, join(root, "var/lib/prosody"));
      await writeFile(configFile, `Include "prosody.cfg.lua"\n${here}`);
      return startProsodyOn({ ...common, configFile, sign: "Activated service 's2s'" });
    }
    case "ejabberd": {
      const configFile = join(root, "etc/ejabberd/ejabberd.yml");
      return startEjabberdOn({ ...common, configFile, sign: "for ejabberd_service" });
    }
  }
}

/** Last, so that it sees a host that is ready from the start. */
export async function startHaproxyOn({ site, machine, name }: Omit<HostOptions, "front">): Promise<Part> {
  const file = join(site.folder, name, "etc/haproxy/haproxy.cfg");
  return startOn(site, machine, {
    name: "haproxy",
    command: "haproxy",
    args: ["-V", "-db", "-f", file],
    sign: "as the polling mechanism",
  });
}

async function startRole(options: HostOptions, role: string, name: string): Promise<Part> {
  const file = join(options.site.folder, options.name, "etc/reveille/reveille.yaml");
  return startOn(options.site, options.machine, {
    name,
    command: process.execPath,
    args: [CLI, role, "--config", file],
    sign: `"msg":"role started"`,
  });
}

interface Start {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** A line with it says that the program works; without it, it works as soon as it runs. */
  readonly sign?: string;
}

async function startOn(site: Site, machine: Machine, { name, command, args, sign }: Start): Promise<Part> {
  return Part.start(async () =>
    machine.start({
      name,
      command,
      args,
      logFile: site.logFile(`${machine.name}-${name}`),
      ...(sign === undefined ? {} : { ready: (line: string) => line.includes(sign) }),
    }),
  );
}
