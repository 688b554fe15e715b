import { type Behaviour, startApnsSimulator } from "@reveille/push-simulator";
import { openPushServices } from "@reveille/push-services";
import { aModule, aToken, aWakeup } from "@reveille/testkit";
import { hours, type PushModule } from "@reveille/wakeup";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";

import { aWorkerWith, clock } from "./testing/a-worker.ts";

const FAST = aModule("fast");
const SLOW = aModule("slow");
const MOST_AT_ONCE = 100;
/** Of a push that waits for nothing but the machine, in ms; behind the slow module it would be 5 s and more. */
const MOST_AGE = 3_000;

/** A worker with two modules, each with a push service of its own. */
async function aWorkerOfTwo() {
  await using parts = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "reveille-isolation-"));
  parts.defer(() => rm(folder, { recursive: true }));
  const { privateKey } = generateKeyPairSync("ec", {
    namedCurve: "prime256v1",
    privateKeyEncoding: { format: "pem", type: "pkcs8" },
    publicKeyEncoding: { format: "pem", type: "spki" },
  });
  const keyFile = join(folder, "key.p8");
  await writeFile(keyFile, privateKey, { mode: 0o600 });
  const settingsFor = async (module: PushModule) => {
    const simulator = parts.use(await startApnsSimulator());
    const caFile = join(folder, `${module}.pem`);
    await writeFile(caFile, simulator.ca);
    const settings = {
      kind: "apns",
      apns: {
        topic: "com.example.app",
        environment: "production",
        credential: { kind: "token", keyFile, keyId: "ABC1234567", teamId: "TEAM123456" },
        endpoint: new URL(simulator.url),
        caFile,
      },
      alert: { title: "New Message", body: "New Message?" },
      expireAfter: hours(1),
      custom: {},
    } as const;
    return { simulator, settings };
  };
  const [fast, slow] = [await settingsFor(FAST), await settingsFor(SLOW)];
  const services = parts.use(
    await openPushServices({
      modules: new Map([
        [FAST, fast.settings],
        [SLOW, slow.settings],
      ]),
      mostAtOnce: MOST_AT_ONCE,
      clock,
      observe: () => undefined,
    }),
  );
  const scene = parts.use(await aWorkerWith(services));
  const stack = parts.move();
  return { ...scene, slow: slow.simulator, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe("a module whose push service", () => {
  it.each<[string, Partial<Behaviour>]>([
    ["takes 5 s for every answer", { latency: { kind: "fixed", ms: 5_000 } }],
    ["never answers", { stallShare: 1 }],
    ["throttles every device", { throttle: { burst: 0, refillMs: 60_000 } }],
  ])("%s does not delay the pushes of another", { timeout: 60_000 }, async (_what, slow) => {
    await using scene = await aWorkerOfTwo();
    const send = async (module: PushModule, seed: number): Promise<void> =>
      scene.queue.add([aWakeup({ module, token: aToken(seed), receivedAt: clock.now() })]);
    const ages = () =>
      scene.events.flatMap((event) =>
        event.kind === "delivery-settled" && event.wakeup.module === FAST ? [event.age] : [],
      );
    // The first pushes open the connections.
    await send(FAST, 0);
    await send(SLOW, 0);
    await vi.waitFor(() => expect(ages()).toHaveLength(1));
    await vi.waitFor(() => expect(scene.slow.ledger.pushes).toHaveLength(1));
    scene.slow.change(slow);
    // More than there is room for, each in a batch of its own.
    for (let seed = 1; seed <= 3 * MOST_AT_ONCE; seed += 1) await send(SLOW, seed);
    for (let seed = 1; seed <= 40; seed += 1) {
      await send(FAST, seed);
      await delay(25);
    }
    await vi.waitFor(() => expect(ages()).toHaveLength(41));
    expect(Math.max(...ages().slice(1))).toBeLessThan(MOST_AGE);
    expect(scene.slow.stats().pushes).toBeGreaterThanOrEqual(MOST_AT_ONCE);
    // Ends what is under way, so that nobody has to wait for it.
    scene.slow.resetConnections();
  });
});
