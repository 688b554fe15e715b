import { openServerDouble, type ServerDouble, until } from "@reveille/testkit";

import { MODULE } from "../durability/push-path.ts";
import {
  type FrontKind,
  type Host,
  startHaproxyOn,
  startRoles,
  startRedisOn,
  startSentinelOn,
} from "./host.ts";
import { type Machines, openMachines, type SenderKind, SENDERS } from "./machines.ts";
import { Network } from "./namespaces.ts";
import { type Part } from "./part.ts";
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
import { askOverUnix } from "./unix-http.ts";

export const HOSTNAME = "eu.push.example";
/** Short, so that trailing pushes come within a test. */
export const WINDOW_MS = 3_000;
const [S1, S2, W] = ["s1.eu.push.example", "s2.eu.push.example", "w.eu.push.example"] as const;
const [US, US_HOSTNAME] = ["s1.us.push.example", "us.push.example"] as const;

/** Two hosts and a witness, two users' servers, Apple: each a machine of its own, with the rendered configuration. */
export interface Region extends AsyncDisposable {
  readonly site: Site;
  readonly network: Network;
  readonly machines: Machines;
  readonly s1: Host;
  readonly s2: Host;
  readonly witness: Part;
  /** Connected to each sender's server as a component: publishes without users. */
  readonly loads: Readonly<Record<SenderKind, ServerDouble>>;
  /** What the host's sidecar answers to /ready. */
  readonly ready: (
    host: "s1" | "s2" | "us",
  ) => Promise<{ readonly ready: boolean; readonly reasons: string }>;
}

/** Resolves when both hosts are ready. */
export async function startRegion(name: string, front: FrontKind): Promise<Region> {
  await using starting = new AsyncDisposableStack();
  const names = [
    HOSTNAME,
    US_HOSTNAME,
    ...Object.values(SENDERS).flatMap(({ domain, load }) => [domain, load]),
  ];
  const site = starting.use(await openSite(name, names));
  const network = starting.use(await Network.open(site.folder));
  const machines = await openMachines(network);
  await renderInto(site, planOf(machines, front), modulesOf(site, machines));
  await renderInto(site, usPlanOf(machines), modulesOf(site, machines));
  for (const machine of [S1, S2, W]) await furnish(site, machine, [HOSTNAME]);
  await furnish(site, US, [HOSTNAME, US_HOSTNAME]);

  for (const part of await Promise.all([
    startDns(site, machines.hub, [`${HOSTNAME}.zone`, `${US_HOSTNAME}.zone`], sendersOf(machines)),
    startApns(site, machines.apns),
    startRelay(site, machines.hub, relayed(machines)),
    startSender("prosody", { site, machine: machines.prosody, ...SENDERS.prosody, bidi: true }),
    startSender("ejabberd", { site, machine: machines.ejabberd, ...SENDERS.ejabberd, bidi: false }),
  ]))
    starting.use(part);
  const ready: Region["ready"] = async (host) => readinessOf(site, host);
  const hosts = await startHosts({ site, machines, front, ready }, starting);
  const loads = {
    prosody: starting.use(await openLoad(site, "prosody")),
    ejabberd: starting.use(await openLoad(site, "ejabberd")),
  };
  const parts = starting.move();
  return {
    site,
    network,
    machines,
    ...hosts,
    loads,
    ready,
    [Symbol.asyncDispose]: async () => parts.disposeAsync(),
  };
}

/** The addresses of the users' servers by name. */
const sendersOf = (machines: Machines): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (["prosody", "ejabberd"] as const).flatMap((kind) =>
      Object.values(SENDERS[kind]).map((name) => [name, machines[kind].address]),
    ),
  );

/** Waits for a host to be ready. Throws with its reasons if it does not get there. */
export async function readyWithin(
  ready: Region["ready"],
  host: "s1" | "s2" | "us",
  withinMs: number,
): Promise<void> {
  let last = "";
  await until(
    async () => {
      const answer = await ready(host).catch((error: unknown) => ({ ready: false, reasons: String(error) }));
      last = answer.reasons;
      return answer.ready ? true : undefined;
    },
    { what: `readiness of ${host}`, withinMs, everyMs: 50 },
  ).catch((cause: unknown) => {
    throw new Error(`${host} is not ready: ${last}`, { cause });
  });
}

interface HostsParts extends Pick<Region, "site" | "machines" | "ready"> {
  readonly front: FrontKind;
}

async function startHosts(
  { site, machines, front, ready }: HostsParts,
  stack: AsyncDisposableStack,
): Promise<Pick<Region, "s1" | "s2" | "witness">> {
  const [one, other] = [
    { site, machine: machines.s1, name: S1, front },
    { site, machine: machines.s2, name: S2, front },
  ];
  const redises = [stack.use(await startRedisOn(one)), stack.use(await startRedisOn(other))] as const;
  const witness = stack.use(await startSentinelOn({ site, machine: machines.witness, name: W }));
  const sentinels = [stack.use(await startSentinelOn(one)), stack.use(await startSentinelOn(other))] as const;
  const [s1, s2] = await Promise.all([startRoles(one, stack), startRoles(other, stack)]);
  for (const host of ["s1", "s2"] as const) await readyWithin(ready, host, 30_000);
  for (const host of [s1, s2]) await settled(site, host);
  const haproxies = [stack.use(await startHaproxyOn(one)), stack.use(await startHaproxyOn(other))] as const;
  return {
    s1: { ...s1, redis: redises[0], sentinel: sentinels[0], haproxy: haproxies[0] },
    s2: { ...s2, redis: redises[1], sentinel: sentinels[1], haproxy: haproxies[1] },
    witness,
  };
}

const planOf = ({ s1, s2, witness }: Machines, front: FrontKind): object => ({
  region: "eu",
  hostname: HOSTNAME,
  front,
  hosts: [
    { name: S1, addresses: [s1.address], inside: s1.address },
    { name: S2, addresses: [s2.address], inside: s2.address },
  ],
  witness: { name: W, inside: witness.address },
  fallbacks: [US],
});

const usPlanOf = ({ us }: Machines): object => ({
  region: "us",
  hostname: US_HOSTNAME,
  hosts: [{ name: US, addresses: [us.address], inside: us.address }],
  alsoServes: [HOSTNAME],
});

/** The host of another region, which serves this hostname too. Resolves when it is ready. */
export async function startFallback(
  { site, machines, ready }: Region,
  stack: AsyncDisposableStack,
): Promise<void> {
  const us = { site, machine: machines.us, name: US, front: "prosody" } as const;
  stack.use(await startRedisOn(us));
  await startRoles(us, stack);
  await readyWithin(ready, "us", 30_000);
  stack.use(await startHaproxyOn(us));
}

function modulesOf(site: Site, { apns }: Machines): object {
  const { file: keyFile, keyId, teamId } = site.signingKey;
  const server = { endpoint: `https://${apns.address}:${APNS_PORT}`, caFile: caFileOf(site) };
  const account = { topic: "org.example.push", environment: "production", keyFile, keyId, teamId };
  return { modules: { [MODULE]: { apns: { ...account, ...server }, window: `${WINDOW_MS}ms` } } };
}

const relayed = ({ s1, s2, us, prosody, ejabberd, apns }: Machines): Readonly<Record<string, string>> => ({
  "s1-sidecar": `${s1.address}:9464`,
  "s2-sidecar": `${s2.address}:9464`,
  "us-sidecar": `${us.address}:9464`,
  "prosody-clients": `${prosody.address}:${CLIENT_PORT}`,
  "prosody-components": `${prosody.address}:${COMPONENT_PORT}`,
  "ejabberd-clients": `${ejabberd.address}:${CLIENT_PORT}`,
  "ejabberd-components": `${ejabberd.address}:${COMPONENT_PORT}`,
  "apns-control": `${apns.address}:${APNS_CONTROL_PORT}`,
});

async function readinessOf(site: Site, host: string) {
  const { status, body } = await askOverUnix(socketOf(site, `${host}-sidecar`), "/ready");
  return { ready: status === 200, reasons: body };
}

const openLoad = async (site: Site, kind: SenderKind): Promise<ServerDouble> =>
  openServerDouble({
    port: socketOf(site, `${kind}-components`),
    domain: SENDERS[kind].load,
    secret: site.componentSecret,
  });
