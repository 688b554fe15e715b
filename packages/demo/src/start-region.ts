import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { openServerDouble, type Program, type ServerDouble, until } from "@reveille/testkit";

import { type Apns } from "./apns.ts";
import { hostConfig } from "./host-config.ts";
import { REGION_HOST } from "./names.ts";
import { frontSection } from "./own-front.ts";
import { followWakeups, type WakeupRecord } from "./records.ts";
import { CONFIG_FILE, type RoleOptions, startRole, writeHostConfig } from "./roles.ts";
import { type Sender } from "./sender.ts";
import { allOrNothing } from "./start-together.ts";
import { type FrontKind, startSurroundings, type Surroundings } from "./surroundings.ts";
import { openWorkplace, type Workplace } from "./workplace.ts";

export interface RegionOptions {
  /** For data and logs; emptied first, left behind at the end. */
  readonly folder: string;
  /** 2 unless told. */
  readonly workers?: number;
  /** Least time between two pushes to a device, as the configuration says it; `20s` unless told. */
  readonly window?: string;
  /** The front; a Prosody unless told. `doubles` need one. */
  readonly front?: FrontKind;
  /** Push modules beside the default one, as the configuration has them. */
  readonly modules?: Readonly<Record<string, unknown>>;
  /** Domains that play users' servers as components of the front, without s2s. */
  readonly doubles?: readonly string[];
  /** For every role: see `RoleOptions`. */
  readonly nodeOptions?: readonly string[];
}

/**
 * A whole region on this machine, each part in a process of its own, and a user's server (`sender`) beyond it. Uses
 * ports, sockets and folders of its own, so that several run at once. Disposing drains the roles and stops everything.
 */
export interface Region extends AsyncDisposable {
  readonly folder: string;
  readonly logFolder: string;
  /** What users' servers publish to. */
  readonly hostname: string;
  /** Configuration of the host, as its roles read it. */
  readonly configFile: string;
  /** `address:port` of the private DNS. */
  readonly dnsServer: string;
  /** PEM of the authority that signed the servers' certificates. */
  readonly authorityFile: string;
  readonly sender: Sender;
  readonly apns: Apns;
  readonly redis: Program;
  readonly front: Program;
  readonly ingress: Program;
  readonly workers: readonly Program[];
  readonly sidecar: Program;
  readonly sidecarUrl: string;
  /** Of the status page alone, as the public sees it. */
  readonly statusUrl: string;
  /** Starts one more process of a role, on the host's configuration unless told; stopped with the region. */
  readonly startRole: (role: RoleOptions["role"], name: string, configFile?: string) => Promise<Program>;
  /** Everything of the above that is a program, and the DNS. */
  readonly programs: readonly Program[];
  /** Which program was the first to end, and how; also after disposing. */
  readonly ended: Promise<string>;
  /** What the roles' logs say of single wakeups; grows. */
  readonly wakeups: readonly WakeupRecord[];
  /** Connects one of `doubles`. */
  readonly openDouble: (domain: string) => Promise<ServerDouble>;
}

/** Resolves when a publish would go through. Throws, with everything stopped, if a part does not start. */
export async function startRegion(options: RegionOptions): Promise<Region> {
  await using parts = new AsyncDisposableStack();
  const place = parts.use(await openWorkplace(options.folder));
  const around = await startSurroundings(parts, place, options);
  const { ports, sender, apns, dns, redis } = around;
  const { start, ...roles } = await startRoles(parts, place, around, options);
  const { sidecar, ingress, workers, front } = roles;
  const sidecarUrl = `http://127.0.0.1:${ports.sidecar}`;
  await readiness(sidecarUrl, sidecar);

  const programs = [dns.program, redis, apns.program, front, sender.program, sidecar, ingress, ...workers];
  const stop = parts.move();
  return {
    folder: place.folder,
    logFolder: place.logFolder,
    hostname: REGION_HOST,
    configFile: join(place.folder, CONFIG_FILE),
    dnsServer: dns.address,
    authorityFile: place.authority.certificateFile,
    sender,
    apns,
    redis,
    ...roles,
    sidecarUrl,
    statusUrl: `http://127.0.0.1:${ports.status}`,
    startRole: async (...role) => stop.use(await start(...role)),
    programs,
    ended: Promise.race(programs.map(async ({ name, ended }) => `${name} ended with ${await ended}`)),
    wakeups: followWakeups([ingress, ...workers]),
    openDouble: async (domain) => {
      const secret = (await readFile(place.secretFile, "utf8")).trim();
      return openServerDouble({ port: ports.component, domain, secret });
    },
    [Symbol.asyncDispose]: async () => stop.disposeAsync(),
  };
}

interface Roles {
  readonly front: Program;
  readonly start: Region["startRole"];
  readonly sidecar: Program;
  readonly ingress: Program;
  readonly workers: readonly Program[];
}

async function startRoles(
  parts: AsyncDisposableStack,
  place: Workplace,
  { ports, redisSocket, apns, dns, front: prosody }: Surroundings,
  options: RegionOptions,
): Promise<Roles> {
  const own =
    prosody === undefined ? await frontSection({ place, ports, dnsServer: dns.address }) : undefined;
  const config = await hostConfig({ place, ports, redisSocket, apns, own, ...options });
  const ofHost = await writeHostConfig(place.folder, config);
  const start: Region["startRole"] = async (role, name, configFile = ofHost) =>
    startRole({ role, name, configFile, logFile: place.logFile(name), nodeOptions: options.nodeOptions });
  const workerNames = Array.from({ length: options.workers ?? 2 }, (_, index) => `worker-${index + 1}`);
  const front = prosody ?? parts.use(await start("front", "front"));
  const [ingress, ...workers] = await allOrNothing(parts, [
    start("ingress", "ingress"),
    ...workerNames.map(async (name) => start("worker", name)),
  ]);
  // Last, since a sidecar that has seen an incomplete host waits a while before it believes in a complete one.
  const sidecar = parts.use(await start("sidecar", "sidecar"));
  return { start, front, sidecar, ingress, workers };
}

async function readiness(sidecarUrl: string, { logFile }: Program): Promise<void> {
  let reasons = "";
  await until(
    async () => {
      const response = await fetch(`${sidecarUrl}/ready`, { signal: AbortSignal.timeout(5_000) });
      reasons = await response.text();
      return response.ok ? true : undefined;
    },
    { what: "readiness of the host", withinMs: 20_000, everyMs: 50, logFile },
  ).catch((cause: unknown) => {
    throw new Error(`the host is not ready: ${reasons}`, { cause });
  });
}
