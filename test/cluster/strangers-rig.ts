import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { type ApnsSimulator, startApnsSimulator } from "@reveille/push-simulator";
import {
  aPublish,
  aToken,
  makeSigningKey,
  Program,
  readinessOf,
  startRedis,
  type TestRedis,
  until,
} from "@reveille/testkit";

import { type Front, startFront } from "../load/doubles/front.ts";

const CLI = join(import.meta.dirname, "../../packages/cli/src/main.ts");
const MADE_UP = aToken("made up").slice(16);
const DOMAIN = "push.example.net";
const SECRET = "component secret of tests";
const MODULE = "monalProdiOS";

/** Devices of other domains, in a window of one second: each is woken every four seconds. */
const KNOWN = 400;
const OTHERS = 100;

/** What Redis may take, in bytes: an eighth of what is rendered. */
export const MAXMEMORY = 64 * 1024 * 1024;

/**
 * A real ingress, worker and Redis with the defaults of the configuration, and an Apple that knows registered tokens only.
 * The front is a double: Prosody itself is busy with 5,000 stanzas a second, and this is about what is behind it.
 */
export class StrangersRig implements AsyncDisposable {
  #parts = new AsyncDisposableStack();
  readonly #front: Front;
  readonly #redis: TestRedis;
  readonly #replies: Map<string, (reply: string) => void>;
  readonly apns: ApnsSimulator;
  readonly #mark = randomUUID();
  #published = 0;

  private constructor(opened: Opened) {
    this.#front = opened.front;
    this.#redis = opened.redis;
    this.#replies = opened.replies;
    this.apns = opened.apns;
  }

  /** Resolves when other domains' devices have had their first push. */
  static async start(): Promise<StrangersRig> {
    await using parts = new AsyncDisposableStack();
    const rig = new StrangersRig(await openParts(parts));
    for (let device = 0; device < KNOWN; device += 1) rig.apns.devices.register(knownToken(device));
    for (let device = 0; device < KNOWN; device += 1) {
      rig.publish(knownSender(device), knownToken(device), () => undefined);
    }
    await until(() => (rig.delivered() >= KNOWN ? true : undefined), {
      what: "first pushes",
      withinMs: 60_000,
    });
    await sleep(1_500);
    rig.#parts = parts.move();
    return rig;
  }

  publish(from: string, node: string, heard: (reply: string) => void): void {
    const id = `${this.#mark}-${(this.#published += 1)}`;
    this.#replies.set(id, heard);
    this.#front.write(
      Buffer.from(TEMPLATE.replace("ID", id).replace("FROM", from).replace("NODE", node), "latin1"),
    );
  }

  delivered(): number {
    return this.apns.stats().answers["200"] ?? 0;
  }

  bad(): number {
    return this.apns.stats().answers["400 BadDeviceToken"] ?? 0;
  }

  async usedMemory(): Promise<number> {
    const redis = await this.#redis.connect();
    const info = await redis.info("memory");
    redis.disconnect();
    return Number(/^used_memory:(\d+)/m.exec(info)?.[1]);
  }

  /** An open loop: known devices of other domains, and beside them the flood; what is due leaves, whatever comes back. */
  async phase(
    forMs: number,
    flood: { readonly perSecond: number; readonly from: (index: number) => string },
  ) {
    const latencies: number[] = [];
    const others = new Map<string, number>();
    const strangers = new Map<string, number>();
    const sent = { others: 0, flood: 0 };
    const startedAt = performance.now();
    for (let elapsed = 0; elapsed < forMs; elapsed = performance.now() - startedAt) {
      while (sent.flood < (elapsed * flood.perSecond) / 1_000) {
        const from = flood.from(sent.flood);
        this.publish(from, madeUpToken(this.#published), (reply) => count(strangers, reply));
        sent.flood += 1;
      }
      while (sent.others < (elapsed * OTHERS) / 1_000) {
        const dueAt = startedAt + (sent.others * 1_000) / OTHERS;
        const device = sent.others % KNOWN;
        this.publish(knownSender(device), knownToken(device), (reply) => {
          latencies.push(performance.now() - dueAt);
          count(others, reply);
        });
        sent.others += 1;
      }
      await sleep(1);
    }
    await until(() => (this.#replies.size === 0 ? true : undefined), {
      what: "all replies",
      withinMs: 60_000,
    });
    const sorted = latencies.toSorted((one, other) => one - other);
    return { p99: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN, others, strangers };
  }

  /** A domain that nobody has heard of publishes to devices that never had a push: what it is told. */
  async newcomer(domain: string, devices: number): Promise<ReadonlyMap<string, number>> {
    const told = new Map<string, number>();
    const answers = (): number => [...told.values()].reduce((sum, count) => sum + count, 0);
    for (let device = 0; device < devices; device += 1) {
      const token = newcomerToken(domain, device);
      this.apns.devices.register(token);
      this.publish(domain, token, (reply) => count(told, reply));
      if (device % 10 === 9) await sleep(20);
    }
    await until(() => (answers() === devices ? true : undefined), {
      what: "replies",
      withinMs: 60_000,
    });
    return told;
  }

  /** How many of the newcomer's devices have had a push. */
  reached(domain: string, devices: number): number {
    const tokens = Array.from({ length: devices }, (_, device) => newcomerToken(domain, device));
    return tokens.filter((token) => this.apns.devices.shownOn(token).length > 0).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}

/** The sender should cost little beside what is measured. */
const TEMPLATE = aPublish({ id: "ID", to: DOMAIN, from: "FROM", node: "NODE", module: MODULE });

const knownToken = (device: number): string => aToken(`known ${device}`);
const madeUpToken = (index: number): string => `${MADE_UP}${index.toString(16).padStart(16, "0")}`;
const knownSender = (device: number): string => `s${device % 40}.example`;
const newcomerToken = (domain: string, device: number): string => aToken(`${domain} ${device}`);

function count(told: Map<string, number>, reply: string): void {
  const said = /<error type='(\w+)'><([a-z-]+)/.exec(reply)?.slice(1).join("/") ?? "result";
  told.set(said, (told.get(said) ?? 0) + 1);
}

interface Opened {
  readonly front: Front;
  readonly redis: TestRedis;
  readonly apns: ApnsSimulator;
  readonly replies: Map<string, (reply: string) => void>;
}

async function openParts(parts: AsyncDisposableStack): Promise<Opened> {
  const folder = await mkdtemp(join(tmpdir(), "reveille-strangers-"));
  parts.defer(async () => rm(folder, { recursive: true, force: true }));
  const replies: Opened["replies"] = new Map();
  const front: Front = parts.use(
    await startFront({
      domain: DOMAIN,
      secret: SECRET,
      lost: () => undefined,
      read: stanzaReader((id, stanza) => {
        if (id.startsWith("self-ping")) front.write(Buffer.from(stanza));
        replies.get(id)?.(stanza);
        replies.delete(id);
      }),
    }),
  );
  const redis = parts.use(
    await startRedis([
      "--appendonly",
      "yes",
      "--maxmemory",
      String(MAXMEMORY),
      "--maxmemory-policy",
      "noeviction",
    ]),
  );
  const latency = { kind: "uniform", from: 20, to: 80 } as const;
  const apns = parts.use(await startApnsSimulator({ unknownTokens: "refuse", behaviour: { latency } }));
  const config = await writeConfig(folder, { front, redis, apns });
  for (const role of ["ingress", "worker"] as const) {
    const args = [CLI, role, "--config", config];
    const ready = await readinessOf(role, config);
    parts.use(await Program.start({ name: role, command: process.execPath, args, ready }));
  }
  return { front, redis, apns, replies };
}

function stanzaReader(read: (id: string, stanza: string) => void): (chunk: Buffer) => void {
  let rest = "";
  return (chunk) => {
    const stanzas = `${rest}${chunk.toString("latin1")}`.split(/(?=<iq )/);
    rest = isWhole(stanzas.at(-1) ?? "") ? "" : (stanzas.pop() ?? "");
    for (const stanza of stanzas) read(/id='([^']*)'/.exec(stanza)?.[1] ?? "", stanza);
  };
}

const isWhole = (stanza: string): boolean => stanza.endsWith("</iq>") || /^<iq [^<]*\/>$/.test(stanza);

async function writeConfig(
  folder: string,
  { front, redis, apns }: Pick<Opened, "front" | "redis" | "apns">,
): Promise<string> {
  const secretFile = join(folder, "component.secret");
  const caFile = join(folder, "ca.pem");
  const config = join(folder, "reveille.yaml");
  const keyFile = join(folder, "AuthKey.p8");
  await makeSigningKey(keyFile);
  await writeFile(secretFile, SECRET, { mode: 0o600 });
  await writeFile(caFile, apns.ca);
  const account = { topic: "org.example", environment: "production", endpoint: apns.url, caFile };
  const credential = { keyFile, keyId: "ABC1234567", teamId: "TEAM123456" };
  // JSON is YAML (YAML 1.2 §1.3). The window is short so that few devices do; all limits and budgets are the defaults.
  await writeFile(
    config,
    JSON.stringify({
      region: "eu",
      host: `s1.${DOMAIN}`,
      runtimeDir: folder,
      redis: { url: `redis+unix://${redis.path}` },
      ingress: { components: [{ service: `xmpp://127.0.0.1:${front.port}`, domain: DOMAIN, secretFile }] },
      admission: { window: "1s" },
      modules: { [MODULE]: { apns: { ...account, ...credential } } },
    }),
  );
  return config;
}
