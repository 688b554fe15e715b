import { setTimeout as sleep } from "node:timers/promises";

import { openRegionSecret, redisAdmission } from "@reveille/admission";
import { openProducerRedis, openWakeupQueue } from "@reveille/queue";
import {
  aModule,
  aRegion,
  aToken,
  openServerDouble,
  type ServerDouble,
  startProsody,
  startRedis,
  type TestRedis,
} from "@reveille/testkit";
import { type Clock, epochMillis, millis, minutes, seconds } from "@reveille/wakeup";
import { describe, expect, it, vi } from "vitest";

import { startIngress } from "./start-ingress.ts";

const clock: Clock = {
  now: () => epochMillis(Date.now()),
  monotonic: () => millis(performance.now()),
  sleep: async (duration, signal) => {
    await sleep(duration, undefined, { ref: false, ...(signal === undefined ? {} : { signal }) }).catch(
      () => undefined,
    );
  },
};

const observe = (): void => undefined;

/** The real chain from the front to Redis. */
async function aChain(redis: TestRedis) {
  await using opened = new AsyncDisposableStack();
  const connection = await openProducerRedis(
    { url: `redis+unix://${redis.path}` },
    { connection: "producer", clock, observe },
  );
  opened.defer(() => connection.disconnect());
  const region = aRegion();
  const queue = opened.use(await openWakeupQueue({ redis: connection, region, node: "s1", clock, observe }));
  const admission = redisAdmission({
    redis: connection,
    region,
    secret: await openRegionSecret(connection, region),
    windowOf: () => seconds(20),
    forgetDeadAfter: () => minutes(10),
    clock,
    observe,
  });
  const prosody = opened.use(await startProsody());
  const ingress = opened.use(
    await startIngress({
      components: [{ service: prosody.service, domain: "push.localhost", secret: prosody.secret }],
      modules: { known: new Set([aModule()]) },
      admission,
      queue,
      clock,
      observe,
      version: "1",
    }),
  );
  const server = opened.use(
    await openServerDouble({ port: prosody.port, domain: "server.localhost", secret: prosody.secret }),
  );
  const parts = opened.move();
  return { ingress, queue, server, [Symbol.asyncDispose]: async () => parts[Symbol.asyncDispose]() };
}

const publish = (server: ServerDouble, id: number) =>
  server.publish({ id: String(id), node: aToken(id), module: aModule() });

type Redis = Awaited<ReturnType<TestRedis["connect"]>>;

interface Trouble {
  readonly begin: (redis: TestRedis, admin: Redis) => Promise<unknown>;
  readonly end: (redis: TestRedis, admin: Redis) => Promise<unknown>;
}

const troubles: readonly [string, Trouble][] = [
  ["refuses connections", { begin: async (redis) => redis.kill(), end: async (redis) => redis.restart() }],
  [
    "hangs",
    {
      begin: async (redis) => redis.signal("SIGSTOP"),
      end: async (redis) => redis.signal("SIGCONT"),
    },
  ],
  [
    "is read-only",
    {
      begin: async (_redis, admin) => admin.replicaof("127.0.0.1", 1),
      end: async (_redis, admin) => admin.replicaof("NO", "ONE"),
    },
  ],
  [
    "is out of memory",
    {
      begin: async (_redis, admin) => admin.config("SET", "maxmemory", "1"),
      end: async (_redis, admin) => admin.config("SET", "maxmemory", "0"),
    },
  ],
  [
    "has too few replicas",
    {
      begin: async (_redis, admin) => admin.config("SET", "min-replicas-to-write", "1"),
      end: async (_redis, admin) => admin.config("SET", "min-replicas-to-write", "0"),
    },
  ],
];

describe("an ingress whose Redis", () => {
  it.each(troubles)(
    "%s holds publishes and accepts all of them afterwards, in order",
    async (_what, trouble) => {
      await using redis = await startRedis(["--appendonly", "yes", "--appendfsync", "always"]);
      const admin = await redis.connect();
      await using chain = await aChain(redis);
      const { ingress, server, queue } = chain;
      expect(await publish(server, 0)).toMatchObject({ type: "result" });
      await trouble.begin(redis, admin);
      const held = [1, 2, 3].map((id) => publish(server, id));
      await vi.waitFor(() => expect(ingress.health().map(({ health }) => health.kind)).toContain("failing"));
      held.push(...[4, 5, 6].map((id) => publish(server, id)));
      await vi.waitFor(() => expect(ingress.held()).toBe(6));
      expect(server.replies).toHaveLength(1);
      await trouble.end(redis, admin);
      expect(await Promise.all(held)).toMatchObject(held.map(() => ({ type: "result" })));
      expect(server.replies.map(({ id }) => id)).toEqual(["0", "1", "2", "3", "4", "5", "6"]);
      expect((await queue.counts()).waiting).toBeGreaterThan(1);
      expect(ingress.health()).toContainEqual({ part: "intake", health: { kind: "ready" } });
      expect(ingress.held()).toBe(0);
    },
  );
});
