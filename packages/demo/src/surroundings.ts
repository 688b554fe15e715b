import { join } from "node:path";

import { freePort, type Program } from "@reveille/testkit";

import { type Apns, startApns } from "./apns.ts";
import { trustAuthority } from "./chat-client.ts";
import { type Dns, startDns } from "./dns.ts";
import { startFront } from "./front.ts";
import { SENDER_DOMAIN } from "./names.ts";
import { startRegionRedis } from "./redis-process.ts";
import { type Sender, startSender } from "./sender.ts";
import { allOrNothing } from "./start-together.ts";
import { type Workplace } from "./workplace.ts";

export interface Ports {
  /** s2s of the front. */
  readonly front: number;
  /** The same with direct TLS. */
  readonly frontDirect: number;
  /** s2s of the sender. */
  readonly sender: number;
  /** XEP-0114 of the front. */
  readonly component: number;
  /** XEP-0114 of the sender. */
  readonly senderComponent: number;
  readonly sidecar: number;
  /** The status page alone. */
  readonly status: number;
}

/** Which program takes s2s. Further components (`doubles`) need a Prosody. */
export type FrontKind = "reveille" | "prosody";

/** Everything a region needs that is not ours, and what it talks to. */
export interface Surroundings {
  readonly ports: Ports;
  readonly redisSocket: string;
  readonly dns: Dns;
  readonly redis: Program;
  readonly apns: Apns;
  /** A Prosody; our own front is one of the roles. */
  readonly front: Program | undefined;
  readonly sender: Sender;
}

export interface SurroundingsOptions {
  /** See `RegionOptions`. */
  readonly doubles?: readonly string[];
  readonly front?: FrontKind;
}

/** Starts them and hands them to `parts`. */
export async function startSurroundings(
  parts: AsyncDisposableStack,
  place: Workplace,
  { doubles = [], front: kind = "prosody" }: SurroundingsOptions,
): Promise<Surroundings> {
  trustAuthority(place.authority.certificateFile);
  const ports = {
    front: await freePort(),
    sender: await freePort(),
    component: await freePort(),
    senderComponent: await freePort(),
    sidecar: await freePort(),
    frontDirect: await freePort(),
    status: await freePort(),
  };
  const redisSocket = join(place.socketFolder, "redis.sock");
  const [dns, redis, apns] = await allOrNothing(parts, [
    startDns(ports, place.logFile("dns")),
    startRegionRedis(await place.dataFolder("redis"), redisSocket, place.logFile("redis")),
    startRegionApns(place),
  ]);
  const servers = { place, ports, dns };
  if (kind === "reveille") {
    const [sender] = await allOrNothing(parts, [startRegionSender(servers)]);
    return { ports, redisSocket, dns, redis, apns, front: undefined, sender };
  }
  const [front, sender] = await allOrNothing(parts, [
    startRegionFront({ ...servers, doubles }),
    startRegionSender(servers),
  ]);
  return { ports, redisSocket, dns, redis, apns, front, sender };
}

async function startRegionApns(place: Workplace): Promise<Apns> {
  const { file, keyId, teamId } = place.signingKey;
  return startApns({
    folder: await place.dataFolder("apns"),
    logFile: place.logFile("apns"),
    key: `${keyId}:${teamId}:${file}`,
  });
}

interface ServerParts {
  readonly place: Workplace;
  readonly ports: Ports;
  readonly dns: Dns;
}

async function startRegionFront(
  parts: ServerParts & { readonly doubles: readonly string[] },
): Promise<Program> {
  const { place, ports, dns, doubles } = parts;
  return startFront({
    folder: await place.dataFolder("front"),
    logFile: place.logFile("front"),
    secretFile: place.secretFile,
    componentPort: ports.component,
    serverPort: ports.front,
    directTlsPort: ports.frontDirect,
    certificateFolder: place.certificateFolder,
    authorityFile: place.authority.certificateFile,
    dnsSettings: dns.prosodySettings,
    doubles,
  });
}

async function startRegionSender({ place, ports, dns }: ServerParts): Promise<Sender> {
  return startSender({
    folder: await place.dataFolder("sender"),
    logFile: place.logFile("sender"),
    domain: SENDER_DOMAIN,
    secretFile: place.secretFile,
    componentPort: ports.senderComponent,
    serverPort: ports.sender,
    certificateFolder: place.certificateFolder,
    authorityFile: place.authority.certificateFile,
    dnsSettings: dns.prosodySettings,
  });
}
