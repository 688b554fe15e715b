import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

import { aRegion, aWakeup, freePort, startRedis } from "@reveille/testkit";
import { type Clock, epochMillis, millis, type PushEvent } from "@reveille/wakeup";
import { describe, expect, it, vi } from "vitest";

import {
  consumeWakeups,
  openProducerRedis,
  openWakeupQueue,
  openWorkerRedis,
  type QueuedWakeup,
} from "./index.ts";
import { wrongServer } from "./wrong-server.ts";

// BullMQ and ioredis look at the real time by themselves.
const clock: Clock = {
  now: () => epochMillis(Date.now()),
  monotonic: () => millis(performance.now()),
  sleep: async (duration, signal) => delay(duration, undefined, { signal }).catch(() => undefined),
};

/** One address in front of servers that come and go: those who are connected stay where they are, as with a service's. */
async function aProxy(first: number) {
  let port = first;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const far = connect(port, "127.0.0.1");
    for (const one of [socket, far]) {
      sockets.add(one);
      one.on("error", () => undefined).on("close", () => void sockets.delete(one));
    }
    socket.pipe(far).pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `redis://127.0.0.1:${address.port}`,
    leadTo: (next: number): void => void (port = next),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

describe("a primary that becomes a replica behind one address", () => {
  it("is left by every connection, and the wakeups go on over the new one", async () => {
    const ports = [await freePort(), await freePort()] as const;
    const [oldPort, newPort] = ports;
    await using old = await startRedis(["--port", `${oldPort}`]);
    await using next = await startRedis(["--port", `${newPort}`, "--replicaof", "127.0.0.1", `${oldPort}`]);
    const [primary, replica] = [await old.connect(), await next.connect()];
    await vi.waitFor(async () =>
      expect(await replica.info("replication")).toContain("master_link_status:up"),
    );
    await using proxy = await aProxy(oldPort);
    const events: PushEvent[] = [];
    const observe = (event: PushEvent): void => void events.push(event);
    const producer = await openProducerRedis({ url: proxy.url }, { connection: "producer", clock, observe });
    const worker = await openWorkerRedis({ url: proxy.url }, { connection: "worker", clock, observe });
    await using queue = await openWakeupQueue({
      redis: producer,
      region: aRegion(),
      node: "s1",
      clock,
      observe,
    });
    const handled: QueuedWakeup[] = [];
    await using consumer = await consumeWakeups({
      redis: worker,
      region: aRegion(),
      node: "s1",
      handle: async (wakeups) => {
        handled.push(...wakeups);
        return wakeups.map(() => ({ kind: "done" }));
      },
      batchesAtOnce: 1,
      clock,
      observe,
    });
    await queue.add([aWakeup()]);
    await vi.waitFor(() => expect(handled).toHaveLength(1));

    await replica.replicaof("NO", "ONE");
    await primary.replicaof("127.0.0.1", `${newPort}`);
    proxy.leadTo(newPort);
    // Before the cure: READONLY for as long as the old server kept the connection.
    await vi.waitFor(async () => queue.add([aWakeup()]), { timeout: 5_000, interval: 100 });
    await vi.waitFor(() => expect(handled).toHaveLength(2), { timeout: 15_000 });
    expect(events).toContainEqual({ kind: "redis-trouble", connection: "producer", because: "READONLY" });
    await vi.waitFor(() =>
      expect(events).toContainEqual({ kind: "redis-recovered", connection: "producer" }),
    );
    expect(consumer.health().health).toEqual({ kind: "ready" });
    producer.disconnect();
    worker.disconnect();
  });
});

it("a Redis in cluster mode is refused at the start, with a sentence", async () => {
  await using server = await startRedis(["--port", `${await freePort()}`, "--cluster-enabled", "yes"]);
  const opened = openProducerRedis(
    { url: `redis+unix://${server.path}` },
    { connection: "p", clock, observe: () => undefined },
  );
  await expect(opened).rejects.toThrow(/runs in cluster mode.*: name a Redis with cluster mode disabled/);
});

describe("an answer", () => {
  it.each([
    ["READONLY You can't write against a read only replica.", 1],
    ["ERR Error running script (call to f_1): @user_script:1: -READONLY You can't write", 1],
    ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", 1],
    ["MOVED 3999 127.0.0.1:6381", 1],
    ["UNBLOCKED force unblock from blocking operation, instance state changed", 1],
    ["MISCONF Redis is configured to save RDB snapshots", false],
    ["OOM command not allowed when used memory > 'maxmemory'.", false],
    ["NOREPLICAS Not enough good replicas to write.", false],
    ["WRONGTYPE Operation against a key holding READONLY", false],
  ])("%s: %s", (message, leaves) => {
    expect(wrongServer({ monotonic: () => millis(0) }).reconnectOnError(new Error(message))).toBe(leaves);
  });

  it("LOADING is borne for 15 s in a row", () => {
    let now = 0;
    const { reconnectOnError, answer } = wrongServer({ monotonic: () => millis(now) });
    const loading = new Error("LOADING Redis is loading the dataset in memory");
    for (now = 0; now < 15_000; now += 1_000) expect(reconnectOnError(loading)).toBe(false);
    expect(reconnectOnError(loading)).toBe(1);
    expect(answer()).toBe("LOADING");
    now += 60_000;
    expect(reconnectOnError(loading)).toBe(false);
  });
});
