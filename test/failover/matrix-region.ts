import { debianRoot, openServerDouble, type ServerDouble } from "@reveille/testkit";

import { MODULE } from "../durability/push-path.ts";
import { type FrontKind, type HostRoles, startHaproxyOn, startRedisOn, startRoles } from "./host.ts";
import { Network } from "./namespaces.ts";
import { HOSTNAME, WINDOW_MS } from "./region.ts";
import { startSender } from "./senders.ts";
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

/** A root folder with the files of Debian 13, where this machine is Debian 12. */
export const debian13 = async (): Promise<string> =>
  debianRoot({
    suite: "trixie",
    packages: ["prosody", "prosody-modules", "lua-unbound", "dns-root-data", "ejabberd"],
  });

const HOST = "s1.eu.push.example";
/** Of the one sender. */
const [DOMAIN, LOAD] = ["sender.example", "load.sender.example"] as const;

export interface Pair {
  readonly front: Server;
  readonly sender: Server;
  /** Whether the sender asks for replies on its own connection (XEP-0288). */
  readonly bidi: boolean;
  /** From `debian13`. */
  readonly root: string;
  /** Whether the front finds the sender's server, which replies need without XEP-0288. Default: yes. */
  readonly isFound?: boolean;
}

/** A region of one host behind a rendered front, one user's server, and Apple. */
export interface PairRegion extends AsyncDisposable {
  readonly site: Site;
  readonly host: HostRoles;
  /** A component of the user's server. */
  readonly load: ServerDouble;
}

/** Resolves when the ingress has heard itself through the front. */
export async function startPair({ front, sender, bidi, root, isFound = true }: Pair): Promise<PairRegion> {
  await using starting = new AsyncDisposableStack();
  const name = `matrix ${front} from ${sender} ${bidi ? "bidi" : "plain"}${isFound ? "" : " not found"}`;
  const site = starting.use(await openSite(name, [HOSTNAME, DOMAIN, LOAD]));
  const network = starting.use(await Network.open(site.folder));
  const s1 = await network.machine("s1", "10.77.0.1");
  const server = await network.machine("server", "10.77.0.21");
  const apns = await network.machine("apns", "10.77.0.31");
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
  const rootOf = (release: 12 | 13): string | undefined => (release === 13 ? root : undefined);
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
      sidecar: `${s1.address}:9464`,
    }),
    startRedisOn({ site, machine: s1, name: HOST }),
    startSender(SERVERS[sender].kind, {
      site,
      machine: server,
      domain: DOMAIN,
      load: LOAD,
      bidi,
      root: rootOf(SERVERS[sender].debian),
    }),
  ]))
    starting.use(part);
  const common = { site, machine: s1, name: HOST };
  const host = await startRoles({ ...common, front: kind, root: rootOf(debian) }, starting);
  await settled(site, host);
  starting.use(await startHaproxyOn(common));
  const components = { port: socketOf(site, "components"), domain: LOAD, secret: site.componentSecret };
  const load = starting.use(await openServerDouble(components));
  const parts = starting.move();
  return { site, host, load, [Symbol.asyncDispose]: async () => parts.disposeAsync() };
}

function modulesOf(site: Site, apns: string): object {
  const { file: keyFile, keyId, teamId } = site.signingKey;
  const server = { endpoint: `https://${apns}:${APNS_PORT}`, caFile: caFileOf(site) };
  const account = { topic: "org.example.push", environment: "production", keyFile, keyId, teamId };
  return { modules: { [MODULE]: { apns: { ...account, ...server }, window: `${WINDOW_MS}ms` } } };
}
