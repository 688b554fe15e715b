import { afterAll, describe, expect, it } from "vitest";

import { aPublish, aToken, until } from "@reveille/testkit";

import { MODULE } from "../durability/push-path.ts";
import { drain } from "./drain.ts";
import { type FrontKind, type Host } from "./host.ts";
import { type SenderKind } from "./machines.ts";
import { whyNoNamespaces } from "./namespaces.ts";
import { type Part } from "./part.ts";
import { Pushes } from "./pushes.ts";
import { HOSTNAME, startFallback, startRegion } from "./region.ts";
import { climb, type Climbed, type Rung, tableOf } from "./rung.ts";

const unable = await whyNoNamespaces();
if (unable !== undefined) process.stdout.write(`failover: skipped, ${unable}\n`);

const climbed: Climbed[] = [];

afterAll(() => process.stdout.write(`\n${tableOf(climbed)}\n`));

type Told = Omit<Rung, "front"> & {
  /** Longest time without a push for each sender. */
  readonly goalsMs: Readonly<Record<SenderKind, number>>;
  /** An answer that senders must have got. */
  readonly heard?: string;
  /** How many publishes may get another answer than `result`, or none, and how many may stay without a push. */
  readonly most?: number;
};

const both = (ms: number): Told["goalsMs"] => ({ prosody: ms, ejabberd: ms });

/** Climbs a rung, tells of it, and gives what it did not do as it must. */
async function shortcomingsOf(
  { goalsMs, heard = "result", most = Infinity, ...rung }: Told,
  front: FrontKind,
): Promise<readonly string[]> {
  const outcome = await climb({ ...rung, front });
  climbed.push(outcome);
  process.stdout.write(`${tableOf([outcome])}\n`);
  const { lost, unpushed, registered, people, still, answers } = outcome;
  const forgotten = people.filter((person) => !registered.includes(person));
  const refused = Object.entries(answers).reduce(
    (sum, [answer, n]) => (answer === "result" ? sum : sum + n),
    0,
  );
  return [
    ...(lost > 0 ? [`${lost} accepted publishes lost`] : []),
    ...forgotten.map(({ user, kind }) => `${user} is no longer registered at ${kind}`),
    ...(["prosody", "ejabberd"] as const)
      .filter((kind) => still[kind] > goalsMs[kind])
      .map((kind) => `no push from ${kind} for ${still[kind]} ms, more than ${goalsMs[kind]}`),
    ...(heard in answers ? [] : [`nobody heard ${heard}`]),
    ...(unpushed > most ? [`${unpushed} publishes without a push, more than ${most}`] : []),
    ...(refused > most ? [`${refused} publishes without a result, more than ${most}`] : []),
  ];
}

/**
 * How long each sender holds on to a host that says nothing more, in ms: by time-outs of its own, which nothing at our
 * end shortens. They end when it has a connection to the other host.
 */
const UNPLUGGED = {
  // `smacks_max_ack_delay` (mod_smacks), then `connect_timeout` (net.server_epoll) for the first host's address.
  prosody: 30_000 + 20_000,
  // Until the kernel's buffers are full, 5 s at most at this rate; then TCP_SEND_TIMEOUT (xmpp_stream_out), then
  // `outgoing_s2s_timeout` for the first host's address.
  ejabberd: 5_000 + 15_000 + 10_000,
};
/** Handshakes, a Redis whose primary was on that host, and the push itself. */
const OUR_SHARE_MS = 5_000;

const PROCESS_RUNGS: readonly Told[] = [
  {
    name: "worker of s1 killed",
    breaks: async ({ s1 }) => s1.worker.kill(),
    forMs: 15_000,
    goalsMs: both(3_000),
  },
  {
    name: "ingress of s1 killed",
    breaks: async ({ s1 }) => s1.ingress.kill(),
    forMs: 12_000,
    goalsMs: both(3_000),
  },
  {
    name: "ingress of s1 frozen",
    breaks: async ({ s1 }) => s1.ingress.freeze(),
    forMs: 15_000,
    goalsMs: both(10_000),
  },
  {
    name: "front of s1 killed",
    breaks: async ({ s1 }) => s1.front.kill(),
    forMs: 12_000,
    goalsMs: both(3_000),
  },
];

const DRAIN: Told = {
  name: "s1 drained, then its roles stopped",
  breaks: async ({ site, s1 }) => {
    await drain(site, s1);
    await Promise.all([s1.ingress, s1.worker].map(async (role) => role.stop()));
  },
  forMs: 5_000,
  goalsMs: both(3_000),
  most: 0,
};

const RUNGS: readonly Told[] = [
  ...PROCESS_RUNGS,
  {
    name: "Redis primary killed",
    breaks: async ({ s1 }) => s1.redis.kill(),
    forMs: 15_000,
    goalsMs: both(10_000),
  },
  {
    name: "Redis primary frozen",
    breaks: async ({ s1 }) => s1.redis.freeze(),
    forMs: 18_000,
    goalsMs: both(10_000),
  },
  {
    name: "Redis path of s1 cut",
    breaks: async ({ machines: { s1, s2, witness } }) => {
      const [others, ports] = [`{ ${s2.address}, ${witness.address} }`, "{ 6379, 26379 }"];
      await s1.cut(
        ...["daddr", "saddr"].flatMap((way) =>
          ["dport", "sport"].map((port) => `ip ${way} ${others} tcp ${port} ${ports}`),
        ),
      );
    },
    forMs: 18_000,
    mends: async ({ machines }) => machines.s1.mend(),
    thenMs: 8_000,
    goalsMs: both(10_000),
  },
  {
    name: "both ingresses killed, back 8 s later",
    breaks: async ({ s1, s2 }) => {
      await Promise.all([s1.ingress, s2.ingress].map(async (ingress) => ingress.kill()));
    },
    forMs: 8_000,
    mends: async ({ s1, s2 }) => {
      await Promise.all([s1.ingress, s2.ingress].map(async (ingress) => ingress.restart()));
    },
    thenMs: 12_000,
    // An ejabberd whose new stream was cut, when the second host turned sick as well, waits by itself: up to 300 s.
    goalsMs: both(30_000),
    heard: "wait",
  },
  {
    name: "way of s1 to APNs cut",
    breaks: async ({ machines }) => machines.s1.cut(`ip daddr ${machines.apns.address}`),
    forMs: 15_000,
    goalsMs: both(10_000),
  },
  {
    name: "host s1 unplugged",
    breaks: async ({ network, machines }) => network.unplug(machines.s1),
    forMs: 60_000,
    goalsMs: {
      prosody: UNPLUGGED.prosody + OUR_SHARE_MS,
      ejabberd: UNPLUGGED.ejabberd + OUR_SHARE_MS,
    },
  },
  {
    name: "cable of s1 pulled for 8 s",
    breaks: async ({ network, machines }) => network.unplug(machines.s1),
    forMs: 8_000,
    mends: async ({ network, machines }) => network.plugIn(machines.s1),
    thenMs: 20_000,
    goalsMs: both(30_000),
  },
  {
    name: "all of s1 killed, back 10 s later",
    breaks: async ({ s1 }) => {
      await Promise.all(partsOf(s1).map(async (part) => part.kill()));
    },
    forMs: 10_000,
    mends: async ({ s1 }) => {
      for (const part of partsOf(s1)) await part.restart();
    },
    thenMs: 12_000,
    goalsMs: both(30_000),
  },
  DRAIN,
];

/** In the order in which they start when a host boots. */
const partsOf = (host: Host): readonly Part[] => [
  host.redis,
  host.sentinel,
  host.front,
  host.worker,
  host.ingress,
  host.sidecar,
  host.haproxy,
];

// One rung after the other: on two cores, three regions beside each other are late for what their rungs measure.
describe.skipIf(unable !== undefined)("a region of two hosts", () => {
  it.each(RUNGS)(
    "loses nothing it accepted, and no registration, with Prosody as front: $name",
    async (rung) => {
      expect(await shortcomingsOf(rung, "prosody")).toEqual([]);
    },
  );

  it.each([...PROCESS_RUNGS, DRAIN])(
    "loses nothing it accepted, and no registration, with ejabberd as front: $name",
    async (rung) => {
      expect(await shortcomingsOf(rung, "ejabberd")).toEqual([]);
    },
  );
});

describe.skipIf(unable !== undefined)("another region that serves the hostname too", () => {
  it("gets the streams of users' servers when both hosts are gone, and wakes their devices", async () => {
    await using region = await startRegion("other region", "prosody");
    await using fallback = new AsyncDisposableStack();
    await startFallback(region, fallback);
    const { network, machines, loads, site } = region;
    await network.unplug(machines.s1);
    await network.unplug(machines.s2);
    const token = aToken("abroad");
    const reply = await loads.prosody.ask(
      "abroad",
      aPublish({
        from: loads.prosody.domain,
        to: HOSTNAME,
        id: "abroad",
        node: token,
        module: MODULE,
        body: "x",
      }),
      100_000,
    );
    expect(reply.type).toBe("result");
    const pushes = new Pushes(site);
    await until(async () => ((await pushes.all()).some((push) => push.token === token) ? true : undefined), {
      what: "the push",
      withinMs: 10_000,
    });
  });
});
