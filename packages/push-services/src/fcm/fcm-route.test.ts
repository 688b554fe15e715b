import { aModule, anFcmToken, aWakeup, ManualClock } from "@reveille/testkit";
import { epochMillis, hours, minutes, seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { countKinds, whileTimePasses } from "../testing/an-apns.ts";
import { ACCOUNT, androidWakeups, anFcm, type TestFcm } from "../testing/an-fcm.ts";
import { eventually } from "../testing/eventually.ts";
import { realClock } from "../testing/real-clock.ts";

const wakeup = aWakeup({ token: anFcmToken() });

const statuses = ({ simulator }: TestFcm): number[] => simulator.pushes.map(({ status }) => status);

const credentialStates = ({ events }: TestFcm): string[] =>
  events.flatMap((event) => (event.kind === "credential-changed" ? [event.state] : []));

describe("a module of FCM", () => {
  it("sends a data message that wakes a dozing device", async () => {
    await using fcm = await anFcm({ custom: { account: "push" }, collapseId: "wakeup" });
    expect(await fcm.services.send(wakeup)).toMatchObject({ kind: "delivered" });
    expect(fcm.simulator.pushes).toMatchObject([
      {
        status: 200,
        message: {
          token: anFcmToken(),
          data: { account: "push" },
          priority: "high",
          ttl: "86400s",
          collapseKey: "wakeup",
        },
      },
    ]);
  });

  it("leaves a dozing device asleep for what nobody waits for, if told so", async () => {
    await using fcm = await anFcm({ quiet: "background" });
    await fcm.services.send({ ...wakeup, urgent: false });
    await fcm.services.send({ ...wakeup, urgent: true });
    expect(fcm.simulator.pushes.map(({ message }) => message?.priority)).toEqual(["normal", "high"]);
  });

  it("delivers a cold burst of 300 over connections of 100 streams, with one access token", async () => {
    await using fcm = await anFcm({}, { latency: { kind: "fixed", ms: 0 } });
    const outcomes = await Promise.all(androidWakeups(300).map(fcm.services.send));
    expect(countKinds(outcomes)).toEqual({ delivered: 300 });
    expect(fcm.simulator.granted()).toBe(1);
  });

  it("that is told to wait by GOAWAY loses nothing", async () => {
    await using fcm = await anFcm();
    await fcm.services.send(wakeup);
    fcm.simulator.goaway("max_age");
    const sending = Promise.all(androidWakeups(50).map(fcm.services.send));
    expect(countKinds(await whileTimePasses(fcm.clock, sending))).toEqual({ delivered: 50 });
    expect(fcm.events).toContainEqual(
      expect.objectContaining({ kind: "goaway-received", reason: "max_age" }),
    );
  });

  it.each([
    ["UNREGISTERED", undefined, { kind: "token-dead", reason: "UNREGISTERED", proof: "certain" }],
    ["QUOTA_EXCEEDED", 90, { kind: "throttled", reason: "QUOTA_EXCEEDED", retryAfter: seconds(90) }],
    ["QUOTA_EXCEEDED", undefined, { kind: "throttled", reason: "QUOTA_EXCEEDED", retryAfter: seconds(60) }],
    ["UNAVAILABLE", 20, { kind: "unreachable", reason: "UNAVAILABLE", retryAfter: seconds(20) }],
    ["INTERNAL", undefined, { kind: "unreachable", reason: "INTERNAL" }],
    ["INVALID_ARGUMENT", undefined, { kind: "rejected", reason: "INVALID_ARGUMENT", blame: "wakeup" }],
    [
      "THIRD_PARTY_AUTH_ERROR",
      undefined,
      { kind: "rejected", reason: "THIRD_PARTY_AUTH_ERROR", blame: "module" },
    ],
  ] as const)("takes %s with Retry-After %s for what it is", async (errorCode, retryAfter, outcome) => {
    await using fcm = await anFcm();
    fcm.simulator.addRule({ errorCode, ...(retryAfter === undefined ? {} : { retryAfter }) });
    expect(await fcm.services.send(wakeup)).toEqual(outcome);
  });

  it("that Google refuses is asked again with a message to nobody, once no wakeup of it comes any more", async () => {
    await using fcm = await anFcm();
    const { services, simulator, clock } = fcm;
    const answer = { status: 403, body: '{"error":{"status":"PERMISSION_DENIED"}}' };
    simulator.addRule({ at: "arrival", answer, times: 4 });
    for (let count = 0; count < 3; count += 1) await services.send(wakeup);
    await eventually(() => expect(services.health()).toMatchObject([{ health: { kind: "failing" } }]));
    await eventually(async () => {
      await clock.advance(seconds(20));
      expect(services.health()).toMatchObject([{ health: { kind: "ready" } }]);
    });
    expect(clock.monotonic()).toBeGreaterThan(minutes(5));
    // A token that cannot be is no message to the simulator, and blamed by Google.
    expect(statuses(fcm)).toEqual([403, 403, 403, 403, 400]);
  });

  it("does not ask connections whether they live while nothing is sent", async () => {
    await using fcm = await anFcm();
    await fcm.services.send(wakeup);
    await fcm.clock.advance(minutes(30));
    expect(fcm.services.health()).toMatchObject([
      { part: expect.stringMatching(/^fcm /) as unknown, health: { kind: "ready" } },
    ]);
    expect(fcm.simulator.connections()).toBe(2);
    expect(
      fcm.events.filter((event) => event.kind === "connection-state-changed" && event.to === "closed"),
    ).toEqual([]);
  });

  it("replaces its connections before Google ends them", async () => {
    await using fcm = await anFcm();
    await fcm.services.send(wakeup);
    await fcm.clock.advance(minutes(47));
    await eventually(async () => {
      await fcm.clock.advance(seconds(1));
      const because = fcm.events.flatMap((event) =>
        event.kind === "connection-state-changed" && event.to === "draining" ? [event.because] : [],
      );
      expect(because).toEqual(["it gets too old", "it gets too old"]);
    });
    expect(await fcm.services.send(wakeup)).toMatchObject({ kind: "delivered" });
  });
});

describe("an access token", () => {
  it("is renewed before it ends, while pushes go on", async () => {
    await using fcm = await anFcm();
    for (let count = 0; count < 14; count += 1) {
      expect(await fcm.services.send(wakeup)).toMatchObject({ kind: "delivered" });
      await fcm.clock.advance(minutes(10));
    }
    expect(new Set(statuses(fcm))).toEqual(new Set([200]));
    expect(fcm.simulator.granted()).toBe(3);
  });

  it("that Google no longer takes is renewed once for all, and no push is lost", async () => {
    await using fcm = await anFcm();
    await fcm.services.send(wakeup);
    fcm.simulator.revoke();
    const outcomes = await Promise.all(androidWakeups(40).map(fcm.services.send));
    expect(countKinds(outcomes)).toEqual({ delivered: 40 });
    expect(fcm.simulator.granted()).toBe(2);
  });

  it("that cannot be had because of the account parks the module", async () => {
    await using other = await anFcm();
    await using fcm = await anFcm();
    await fcm.folder.write(
      ACCOUNT,
      (await other.folder.read(ACCOUNT)).replace(/https:[^"]*/, `${fcm.simulator.url}/token`),
    );
    await using broken = await anFcmOf(fcm);
    expect(await broken.send(wakeup)).toEqual({
      kind: "rejected",
      reason: "no access token: invalid_grant",
      blame: "module",
    });
    expect(broken.health()).toMatchObject([
      { health: { kind: "failing", because: "no access token: invalid_grant" } },
    ]);
    expect(fcm.simulator.pushes).toEqual([]);
  });

  it("that cannot be had because nobody answers lets the wakeup be tried again", async () => {
    await using fcm = await anFcm();
    const account = await fcm.folder.read(ACCOUNT);
    await fcm.folder.write(ACCOUNT, account.replace(/https:[^"]*/, "https://localhost:1/token"));
    await using cut = await anFcmOf(fcm);
    const outcome = await cut.send(wakeup);
    expect(outcome.kind === "unreachable" ? outcome.reason : outcome.kind).toMatch(
      /^no access token: cannot connect to localhost:1/,
    );
  });

  it("that cannot be had at the start is asked for again, though nothing is sent", async () => {
    // Google takes no assertion from the future.
    const ofGoogle = new ManualClock(epochMillis(realClock.now() - hours(2)));
    await using fcm = await anFcm({}, { clock: ofGoogle });
    const health = (): string | undefined => fcm.services.health()[0]?.health.kind;
    await eventually(() => expect(health()).toBe("failing"));
    await ofGoogle.advance(hours(2));
    await fcm.clock.advance(minutes(1));
    await eventually(() => expect(health()).toBe("ready"));
    expect(fcm.simulator.granted()).toBe(1);
  });
});

describe("a changed service account", () => {
  it("is used once Google has given it an access token, and no push is lost", async () => {
    await using fcm = await anFcm();
    await fcm.services.send(wakeup);
    await fcm.folder.write(ACCOUNT, fcm.simulator.rotateKey());
    await fcm.services.reload();
    expect(countKinds(await Promise.all(androidWakeups(20).map(fcm.services.send)))).toEqual({
      delivered: 20,
    });
    expect(credentialStates(fcm)).toEqual(["trying", "in-use"]);
    expect(fcm.simulator.granted()).toBe(2);
  });

  it("that Google refuses, or that is none, is not used, and people are told once", async () => {
    await using fcm = await anFcm();
    await using other = await anFcm();
    await fcm.services.send(wakeup);
    const foreign = await other.folder.read(ACCOUNT);
    await fcm.folder.write(ACCOUNT, foreign.replace(/https:[^"]*/, `${fcm.simulator.url}/token`));
    await fcm.services.reload();
    await fcm.services.reload();
    expect(credentialStates(fcm)).toEqual(["trying", "refused"]);
    await fcm.folder.write(ACCOUNT, "{");
    await fcm.services.reload();
    await fcm.services.reload();
    expect(credentialStates(fcm)).toEqual(["trying", "refused", "refused"]);
    const reasons = fcm.events.flatMap((event) =>
      event.kind === "credential-changed" ? [event.because ?? ""] : [],
    );
    expect(reasons.at(-1)).toMatch(`service account ${ACCOUNT} is not`);
    expect(await fcm.services.send(wakeup)).toMatchObject({ kind: "delivered" });
  });
});

describe("a module of FCM that cannot be", () => {
  it.each([
    ["data that is no text", { custom: { badge: 1 } }, "module monalProdiOS: custom.badge is no text"],
    [
      "too much data",
      { custom: { text: "x".repeat(4_100) } },
      /^module monalProdiOS: its data has 41\d\d bytes/,
    ],
  ])("has %s", async (_what, settings, because) => {
    await expect(anFcm(settings)).rejects.toThrow(because);
  });
});

/** Other push services with the same settings. */
async function anFcmOf({ folder, simulator, clock }: TestFcm) {
  const { openPushServices } = await import("../push-services.ts");
  const fcm = {
    projectId: simulator.projectId,
    serviceAccountFile: folder.file(ACCOUNT),
    endpoint: new URL(simulator.url),
    caFile: folder.file("ca.pem"),
  };
  const services = await openPushServices({
    modules: new Map([[aModule(), { kind: "fcm", fcm, expireAfter: minutes(1), custom: {} }]]),
    clock,
    observe: () => undefined,
  });
  return {
    ...services,
    [Symbol.asyncDispose]: () => whileTimePasses(clock, services[Symbol.asyncDispose]()),
  };
}
