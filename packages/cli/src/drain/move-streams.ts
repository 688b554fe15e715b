import { type Clock, seconds } from "@reveille/wakeup";

import { type Haproxy, type Server } from "./haproxy.ts";
import { Rests } from "./rests.ts";

/** What became of the streams that led to this host's front. */
export interface Moved {
  /** Closed while they rested: they open anew at the other host. */
  readonly moved: number;
  /** Never rested. */
  readonly left: number;
}

/** Long enough to learn how each stream rests; one that has just opened is not closed again before. */
const LEARN_FOR = seconds(3);
const WITHIN = seconds(20);
const LOOK_EVERY = seconds(0.002);
/** As many ids as surely fit into a line that HAProxy reads (16 kB); the others come with the next look. */
const AT_ONCE = 200;

/**
 * Keeps new streams from this host's front and closes those it has, each when nothing is on its way in it. `undefined` if there
 * is no other front that HAProxy could pass them to: then nothing is done.
 */
export async function moveStreams(haproxy: Haproxy, host: string, clock: Clock): Promise<Moved | undefined> {
  const servers = await haproxy.servers();
  const own = ownServers(servers, host);
  const hasOther = ({ backend }: Server): boolean =>
    servers.some((one) => one.backend === backend && !namesOf(host).includes(one.name) && isUp(one));
  if (own.length === 0 || !own.every(hasOther)) return undefined;
  for (const server of own) await haproxy.set(server, "drain");
  return closeResting(haproxy, host, clock);
}

/** Lets new streams come to this host's front again. */
export async function takeStreams(haproxy: Haproxy, host: string): Promise<void> {
  for (const server of ownServers(await haproxy.servers(), host)) await haproxy.set(server, "ready");
}

async function closeResting(haproxy: Haproxy, host: string, clock: Clock): Promise<Moved> {
  const startedAt = clock.monotonic();
  const rests = new Rests();
  const closed = new Set<string>();
  for (;;) {
    const asked = clock.monotonic();
    const streams = (await haproxy.passed()).filter(({ server }) => namesOf(host).includes(server));
    const told = clock.monotonic();
    const resting = streams.filter(({ id, bytes }) => rests.look(id, bytes, { asked, told }));
    const isLate = told - startedAt > WITHIN;
    if (streams.length === 0 || isLate) return { moved: closed.size, left: streams.length };
    if (told - startedAt > LEARN_FOR && resting.length > 0) {
      const now = resting.slice(0, AT_ONCE);
      await haproxy.close(now);
      for (const { id } of now) closed.add(id);
    }
    await clock.sleep(LOOK_EVERY);
  }
}

/** The templates of HAProxy's configuration call them so. */
const namesOf = (host: string): readonly string[] => [host, `${host}-even-if-sick`];

const ownServers = (servers: readonly Server[], host: string): readonly Server[] =>
  servers.filter(({ name }) => name === host);

const isUp = ({ status }: Server): boolean => status.startsWith("UP") || status === "no check";
