import { isIPv6 } from "node:net";

import { describeModules, type ModulesFile, type Plan } from "@reveille/runtime";

type Host = Plan["hosts"][number];

/** A machine as the other ones see it. */
type Machine = Pick<Host, "name" | "inside">;

const PORTS = {
  /** Where a front of ours listens for direct TLS; HAProxy in front of the others. */
  publicDirectTls: 5_270,
  /** Of the front, behind HAProxy's 5269 and 5270. */
  server: 15_269,
  directTls: 15_270,
  /** Of the front, for ingresses; with ejabberd that of the first hostname, the next ones follow. */
  component: 5_347,
  sidecar: 9_464,
  redis: 6_379,
  sentinel: 26_379,
} as const;

/** `component_number` of ejabberd, which refuses fewer. The ingress fills all places (docs/decisions/0022). */
const EJABBERD_PLACES = 2;

const SECRET_FILE = "/etc/reveille/front/component.secret";
const CANARY_SECRET_FILE = "/etc/reveille/canary/component.secret";

/** What the templates of a host may say. */
export function hostView(plan: Plan, host: Host, modules: ModulesFile): object {
  const other = plan.hosts.find(({ name }) => name !== host.name);
  return {
    ...regionView(plan),
    host,
    machine: machineView(host),
    other,
    inside: listenAddresses(host),
    hasIpv6: host.addresses.some((address) => isIPv6(address)),
    isReplica: host.name !== plan.hosts[0]?.name,
    witness: plan.witness !== undefined,
    sentinels: machinesOf(plan).map((machine, index, all) => ({
      ...machine,
      last: index === all.length - 1,
    })),
    hostnames: hostnamesOf(plan).map((name, index) => ({
      name,
      componentPort: PORTS.component + index,
      places: EJABBERD_PLACES,
    })),
    components: componentsOf(plan, other),
    isOwnFront: plan.front === "reveille",
    directTls:
      plan.front === "reveille" ? `127.0.0.1:${PORTS.publicDirectTls}` : `${host.inside}:${PORTS.directTls}`,
    secretFile: SECRET_FILE,
    modules: describeModules(modules).trimEnd(),
  };
}

/** What the templates of the witness may say. */
export const witnessView = (plan: Plan, witness: Machine): object => ({
  ...regionView(plan),
  machine: machineView(witness),
});

/** What the section of a canary, and the files for the front in another place, may say; nothing without a canary. */
export function canaryView({ canary, hostname }: Plan): object {
  if (canary === undefined) return {};
  const { hostname: bracketed, port } = new URL(canary.service);
  const address = bracketed.replaceAll(/[[\]]/g, "");
  return {
    canary: { ...canary, hostname, address, port, secretFile: CANARY_SECRET_FILE },
  };
}

/** Added to the priority of a target's record for direct TLS, so that all of them come after those for STARTTLS. */
const DIRECT_TLS_LATER = 100;

/** What the template of the zone may say. */
export function zoneView({ hostname, hosts, fallbacks }: Plan): object {
  const own = hosts.map(({ name }, index) => ({ name, priority: 10 * (index + 1) }));
  const targets = [...own, ...fallbacks.map((name) => ({ name, priority: 30 }))];
  return {
    hostname,
    targets: targets.map((target) => ({
      ...target,
      directTlsPriority: target.priority + DIRECT_TLS_LATER,
    })),
    addresses: hosts.flatMap(({ name, addresses }) =>
      addresses.map((address) => ({ name, address, type: isIPv6(address) ? "AAAA" : "A" })),
    ),
  };
}

/** What the Sentinels call the primary. */
export const redisNameOf = ({ region }: Pick<Plan, "region">): string => `reveille-${region}`;

const regionView = ({ region, hostname, hosts }: Plan): object => ({
  region,
  hostname,
  redisName: redisNameOf({ region }),
  primary: hosts[0],
  ports: PORTS,
});

const machineView = (machine: Machine): object => ({ ...machine, listen: listenAddresses(machine) });

/** Each once, since Redis refuses to listen twice on one. */
const listenAddresses = ({ inside }: Machine): readonly string[] => [...new Set(["127.0.0.1", inside])];

const machinesOf = ({ hosts, witness }: Plan): readonly Machine[] =>
  witness === undefined ? hosts : [...hosts, witness];

const hostnamesOf = ({ hostname, alsoServes }: Plan): readonly string[] => [hostname, ...alsoServes];

interface Component {
  readonly address: string;
  readonly port: number;
  readonly domain: string;
  readonly connections?: number;
}

/**
 * The fronts an ingress connects to: the own one first. At the other host's Prosody it stands by. ejabberd knows no standing
 * by, it would hand half of its publishes over; a front of ours belongs to the ingress of its host.
 */
function componentsOf(plan: Plan, other: Host | undefined): readonly Component[] {
  const hostnames = hostnamesOf(plan);
  switch (plan.front) {
    case "reveille":
      return hostnames.map((domain) => ({ address: "127.0.0.1", port: PORTS.component, domain }));
    case "prosody":
      return ["127.0.0.1", ...(other === undefined ? [] : [other.inside])].flatMap((address) =>
        hostnames.map((domain) => ({ address, port: PORTS.component, domain })),
      );
    case "ejabberd":
      return hostnames.map((domain, index) => ({
        address: "127.0.0.1",
        port: PORTS.component + index,
        domain,
        connections: EJABBERD_PLACES,
      }));
  }
}
