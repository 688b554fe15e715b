import { readFile } from "node:fs/promises";

import { debianRoot, openServerDouble, type ServerDouble } from "@reveille/testkit";

import { MODULE } from "../durability/push-path.ts";
import { type FrontKind, type HostRoles, startHaproxyOn, startRedisOn, startRoles } from "./host.ts";
import { type Incoming, Network } from "./namespaces.ts";
import { type Part } from "./part.ts";
import { HOSTNAME, WINDOW_MS } from "./region.ts";
import { CLIENT_PORT, startSender } from "./senders.ts";
import { COMPONENT_PORT } from "./servers.ts";
import { settled } from "./settled.ts";
import { furnish, openSite, renderInto, type Site } from "./site.ts";
import {
  APNS_CONTROL_PORT,
  APNS_PORT,
  caFileOf,
  socketOf,
  startApns,
  startDns,
  startRelay,
} from "./surroundings.ts";

/** The servers of Debian 12 and 13: fronts and users' servers. */
export const SERVERS = {
  "Prosody 0.12": { kind: "prosody", debian: 12 },
  "Prosody 13": { kind: "prosody", debian: 13 },
  "ejabberd 23.01": { kind: "ejabberd", debian: 12 },
  "ejabberd 24.12": { kind: "ejabberd", debian: 13 },
} as const satisfies Readonly<Record<string, { readonly kind: FrontKind; readonly debian: 12 | 13 }>>;

export type Server = keyof typeof SERVERS;

const SUITES = { 12: "bookworm", 13: "trixie" } as const;
type Release = keyof typeof SUITES;

/** A root folder with the files of a Debian release; `undefined` for that of this machine, whose own files are used. */
export type Roots = Readonly<Record<Release, string | undefined>>;

/** Makes the root folder of the release that this machine is not. */
export async function debianRoots(): Promise<Roots> {
  const about = await readFile("/etc/os-release", "utf8");
  const isHere = (release: Release): boolean => about.includes(`VERSION_ID="${release}"`);
  const packages = ["prosody", "prosody-modules", "lua-unbound", "dns-root-data", "ejabberd"];
  const rootOf = async (release: Release): Promise<string | undefined> =>
    isHere(release) ? undefined : debianRoot({ suite: SUITES[release], packages });
  return { 12: await rootOf(12), 13: await rootOf(13) };
}

const HOST = "s1.eu.push.example";
/** Of the one sender. */
export const [DOMAIN, LOAD] = ["sender.example", "load.sender.example"] as const;

export interface Pair {
  readonly front: Server;
  readonly sender: Server;
  /** Whether the sender asks for replies on its own connection (XEP-0288). */
  readonly bidi: boolean;
  readonly roots: Roots;
  /** From which level on the sender's server logs. Default: `info`. */
  readonly logLevel?: "debug";
  /** Whether the front finds the sender's server, which replies need without XEP-0288. Default: yes. */
  readonly isFound?: boolean;
}

/** A region of one host behind a rendered front, one user's server, and Apple. */
export interface PairRegion extends AsyncDisposable {
  readonly site: Site;
  readonly host: HostRoles;
  /** The user's server. */
  readonly sender: Part;
  /** A component of the user's server. */
  readonly load: ServerDouble;
  /** What the user's server has been sent on connections that the front opened. */
  readonly calledBack: () => Promise<Incoming>;
}

/** Resolves when the ingress has heard itself through the front. */
export async function startPair(pair: Pair): Promise<PairRegion> {
  const { front, sender, bidi, roots, logLevel, isFound = true } = pair;
  await using starting = new AsyncDisposableStack();
  const name = `matrix ${front} from ${sender} ${bidi ? "bidi" : "plain"}${isFound ? "" : " not found"}${logLevel ?? ""}`;
  const site = starting.use(await openSite(name, [HOSTNAME, DOMAIN, LOAD]));
  const network = starting.use(await Network.open(site.folder));
  const s1 = await network.machine("s1", "10.77.0.1");
  const server = await network.machine("server", "10.77.0.21");
  const apns = await network.machine("apns", "10.77.0.31");
  const calledBack = await server.countIncoming(5269);
  const { kind, debian } = SERVERS[front];
  const inside = s1.address;
  const plan = {
    region: "eu",
    hostname: HOSTNAME,
    front: kind,
    hosts: [{ name: HOST, addresses: [inside], inside }],
  };
  await renderInto(site, plan, modulesOf(site, apns.address));
  await furnish(site, HOST, [HOSTNAME]);
  for (const part of await Promise.all([
    startDns(
      site,
      network.hub,
      [`${HOSTNAME}.zone`],
      isFound ? { [DOMAIN]: server.address, [LOAD]: server.address } : {},
    ),
    startApns(site, apns),
    startRelay(site, network.hub, {
      "apns-control": `${apns.address}:${APNS_CONTROL_PORT}`,
      components: `${server.address}:${COMPONENT_PORT}`,
      clients: `${server.address}:${CLIENT_PORT}`,
      sidecar: `${s1.address}:9464`,
    }),
    startRedisOn({ site, machine: s1, name: HOST }),
  ]))
    starting.use(part);
  const usersServer = starting.use(
    await startSender(SERVERS[sender].kind, {
      site,
      machine: server,
      domain: DOMAIN,
      load: LOAD,
      bidi,
      logLevel,
      root: roots[SERVERS[sender].debian],
    }),
  );
  const common = { site, machine: s1, name: HOST };
  const host = await startRoles({ ...common, front: kind, root: roots[debian] }, starting);
  await settled(site, host);
  starting.use(await startHaproxyOn(common));
  const components = { port: socketOf(site, "components"), domain: LOAD, secret: site.componentSecret };
  const load = starting.use(await openServerDouble(components));
  const parts = starting.move();
  return {
    site,
    host,
    sender: usersServer,
    load,
    calledBack,
    [Symbol.asyncDispose]: async () => parts.disposeAsync(),
  };
}

function modulesOf(site: Site, apns: string): object {
  const { file: keyFile, keyId, teamId } = site.signingKey;
  const server = { endpoint: `https://${apns}:${APNS_PORT}`, caFile: caFileOf(site) };
  const account = { topic: "org.example.push", environment: "production", keyFile, keyId, teamId };
  return { modules: { [MODULE]: { apns: { ...account, ...server }, window: `${WINDOW_MS}ms` } } };
}
