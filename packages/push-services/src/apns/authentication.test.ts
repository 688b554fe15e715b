import {
  type ApnsSimulator,
  createClientAuthority,
  type Environment,
  startApnsSimulator,
} from "@reveille/push-simulator";
import { aModule, aToken, aWakeup, ManualClock } from "@reveille/testkit";
import { type Clock, epochMillis, millis, minutes } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { eventually } from "../testing/eventually.ts";
import { openPushServices, type PushServices } from "../push-services.ts";
import { type TestFolder, aFolder } from "../testing/a-folder.ts";
import {
  aKey,
  aModuleWith,
  anApns,
  countKinds,
  KEY_ID,
  manyWakeups,
  TEAM_ID,
  type TestApns,
  whileTimePasses,
} from "../testing/an-apns.ts";
import { realClock } from "../testing/real-clock.ts";

/** The same time, read by a host whose clock is wrong. */
const skewed = (clock: Clock, byMinutes: number): Clock => ({
  ...clock,
  now: () => epochMillis(clock.now() + byMinutes * 60_000),
});

describe("authentication by token", () => {
  it.each([-10, 0, 10])("works on a host whose clock is %i minutes ahead of Apple's", async (ahead) => {
    await using apns = await anApns({ clock: skewed(realClock, ahead) });
    expect(countKinds(await Promise.all(manyWakeups(20).map(apns.services.send)))).toEqual({ delivered: 20 });
    expect(apns.simulator.stats().answers).toEqual({ "200": 20 });
  });

  it.each([
    ["ExpiredProviderToken", 403],
    ["UnrelatedKeyIdInToken", 403],
    ["TooManyProviderTokenUpdates", 429],
    ["IdleTimeout", 400],
  ])("leaves a connection for %s, and no push suffers", async (reason, status) => {
    await using apns = await anApns();
    await apns.services.send(aWakeup());
    const [used] = apns.simulator.ledger.pushes;
    const connection = used?.connection ?? 0;
    apns.simulator.rules.add({
      match: { connection },
      at: "arrival",
      fault: { kind: "answer", status, reason },
    });
    expect(countKinds(await Promise.all(manyWakeups(20).map(apns.services.send)))).toEqual({ delivered: 20 });
    const bearers = apns.simulator.ledger.pushes.map(({ headers }) => headers["authorization"]);
    expect(new Set(bearers).size).toBe(1);
    await eventually(() =>
      expect(apns.simulator.connections.find(({ id }) => id === connection)?.state).toBe("closed"),
    );
  });

  it("blames the module if every connection calls the token expired", async () => {
    await using apns = await anApns();
    const fault = { kind: "answer", status: 403, reason: "ExpiredProviderToken" } as const;
    apns.simulator.rules.add({ at: "arrival", fault });
    const outcome = await whileTimePasses(apns.clock, apns.services.send(aWakeup()));
    expect(outcome).toEqual({ kind: "rejected", reason: "ExpiredProviderToken", blame: "module" });
  });

  it("keeps a connection that Apple refuses to one push at a time", async () => {
    const keys = [{ keyId: KEY_ID, teamId: TEAM_ID, publicKey: aKey().publicKey }];
    await using apns = await anApns({ simulator: { keys, behaviour: { firstStreamLimit: 1_000 } } });
    const outcomes = await Promise.all(manyWakeups(50).map(apns.services.send));
    expect(countKinds(outcomes)).toEqual({ rejected: 50 });
    expect(apns.simulator.connections.every(({ excessStreams }) => excessStreams === 0)).toBe(true);
    expect(apns.services.freeSlots(aModule())).toBeLessThanOrEqual(2);
  });

  it("sees no error over 3 hours with 8 workers that come and go, even if Apple limits tokens per key", async () => {
    const { privateKey, publicKey } = aKey();
    // Terms of 35 minutes begin 10 minutes past their multiples; whoever starts the very first worker late in
    // one shows Apple a second token soon after.
    const term = 35 * 60_000;
    const manual = new ManualClock(Math.floor(realClock.now() / term) * term + 10 * 60_000);
    // Three hours have few ticks, or they take too long.
    const sleep: Clock["sleep"] = (duration, signal) =>
      manual.sleep(millis(Math.max(duration, 1_500)), signal);
    const clock = { now: manual.now, monotonic: manual.monotonic, sleep };
    const keys = [{ keyId: KEY_ID, teamId: TEAM_ID, publicKey }];
    await using simulator = await startApnsSimulator({ keys, clock, limitTokensOf: "key" });
    await using folder = await aFolder({ "key.p8": privateKey, "ca.pem": simulator.ca });
    const workers: PushServices[] = [];
    for (let round = 0; round < 60; round += 1) {
      // In turn each lives for 48 minutes, so some start late in a term.
      if (round < 8 || round % 2 === 0) {
        const place = round < 8 ? round : (round / 2) % 8;
        await workers[place]?.[Symbol.asyncDispose]();
        workers[place] = await aWorker(simulator, folder, clock);
      }
      await Promise.all(
        workers.map(({ send }, index) => send(aWakeup({ token: aToken(`${round} ${index}`) }))),
      );
      await manual.advance(minutes(3));
    }
    await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()));
    expect(Object.keys(simulator.stats().answers)).toEqual(["200"]);
    const bearers = new Set(simulator.ledger.pushes.map(({ headers }) => headers["authorization"]));
    expect(bearers.size).toBeLessThanOrEqual(7);
  });
});

function aWorker(simulator: ApnsSimulator, folder: TestFolder, clock: Clock): Promise<PushServices> {
  const keyFile = folder.file("key.p8");
  const settings = aModuleWith({
    credential: { kind: "token", keyFile, keyId: KEY_ID, teamId: TEAM_ID },
    endpoint: new URL(simulator.url),
    caFile: folder.file("ca.pem"),
  });
  const modules = new Map([[aModule(), settings]]);
  return openPushServices({ modules, clock, observe: () => undefined, random: () => 0.5 });
}

describe("authentication by certificate", () => {
  it("needs no token, and its expiry is known", async () => {
    await using apns = await aCertifiedApns("production");
    expect(await apns.services.send(aWakeup())).toMatchObject({ kind: "delivered" });
    expect(apns.simulator.ledger.pushes[0]?.headers["authorization"]).toBeUndefined();
    const [expiry] = apns.services.expiries();
    expect(expiry?.module).toBe(aModule());
    expect(expiry?.expiresAt).toBeGreaterThan(realClock.now());
  });

  it("that Apple did not issue blames the module", async () => {
    await using apns = await aCertifiedApns("production", createClientAuthority());
    expect(await apns.services.send(aWakeup())).toEqual({
      kind: "rejected",
      reason: "BadCertificate",
      blame: "module",
    });
  });
});

async function aCertifiedApns(
  environment: Environment,
  issuer?: ReturnType<typeof createClientAuthority>,
): Promise<TestApns> {
  const authority = createClientAuthority();
  const topic = "com.example.app";
  const { key, cert } = (issuer ?? authority).issue({ topic, environment });
  const folder = await aFolder({ "cert.pem": cert, "key.pem": key });
  const credential = {
    kind: "certificate",
    certFile: folder.file("cert.pem"),
    keyFile: folder.file("key.pem"),
  } as const;
  const apns = await anApns({ simulator: { clientCa: authority.ca }, apns: { credential, topic } });
  return {
    ...apns,
    [Symbol.asyncDispose]: async () => {
      await apns[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}
