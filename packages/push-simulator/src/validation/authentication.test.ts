import { describe, expect, it } from "vitest";

import { type ApnsSimulatorOptions, startApnsSimulator } from "../index.ts";
import { connectTo, TOKEN, unsignedBearer } from "../testing/client.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { aSigningKey } from "../testing/provider-key.ts";

const MINUTE = 60_000;

/** Starts a simulator; sends one push per bearer over one connection and tells the answers. */
async function answersTo(
  steps: readonly { readonly bearer: (now: number) => string | undefined; readonly after?: number }[],
  options: ApnsSimulatorOptions = {},
): Promise<string[]> {
  const clock = new ManualClock();
  await using simulator = await startApnsSimulator({ clock, ...options });
  await using client = await connectTo(simulator);
  const answers: string[] = [];
  for (const { bearer, after = 0 } of steps) {
    clock.advance(after);
    const seen = await client.push(TOKEN, { authorization: bearer(clock.now()) });
    answers.push(/"reason":"(\w+)"/.exec(seen.body)?.[1] ?? String(seen.status));
  }
  return answers;
}

describe("a provider token", () => {
  const key = aSigningKey();
  const keys = [key.registered];

  it.each<[string, (now: number) => string | undefined, string]>([
    ["of a registered key", (now) => key.bearer(now), "200"],
    ["of 59 minutes", (now) => key.bearer(now - 59 * MINUTE), "200"],
    ["of 61 minutes", (now) => key.bearer(now - 61 * MINUTE), "ExpiredProviderToken"],
    ["from a clock 30 s ahead", (now) => key.bearer(now + MINUTE / 2), "200"],
    ["from a clock 10 min ahead", (now) => key.bearer(now + 10 * MINUTE), "InvalidProviderToken"],
    ["of another team", (now) => key.bearer(now, { teamId: "OTHERTEAM1" }), "InvalidProviderToken"],
    ["of an unknown key", (now) => key.bearer(now, { keyId: "OTHERKEY12" }), "InvalidProviderToken"],
    ["signed by somebody else", (now) => aSigningKey().bearer(now), "InvalidProviderToken"],
    ["with a DER signature", (now) => key.bearer(now, { encoding: "der" }), "200"],
    [
      "with a DER signature of somebody else",
      (now) => aSigningKey().bearer(now, { encoding: "der" }),
      "InvalidProviderToken",
    ],
    ["with a broken signature", (now) => `${key.bearer(now)}x`, "InvalidProviderToken"],
    ["that is no JWT", () => "bearer nonsense", "InvalidProviderToken"],
    ["with a fourth part", (now) => `${key.bearer(now)}.x`, "InvalidProviderToken"],
    ["by another scheme", () => "basic abc", "MissingProviderToken"],
    ["that is missing", () => undefined, "MissingProviderToken"],
  ])("%s", async (_what, bearer, answer) => {
    expect(await answersTo([{ bearer }], { keys })).toEqual([answer]);
  });

  it.each(["ieee-p1363", "der"] as const)(
    "is recorded with the encoding of its signature: %s",
    async (encoding) => {
      await using simulator = await startApnsSimulator({ keys });
      await using client = await connectTo(simulator);
      await client.push(TOKEN, { authorization: key.bearer(Date.now(), { encoding }) });
      expect(simulator.connections).toMatchObject([{ signature: encoding, alpn: true }]);
    },
  );

  it("without registered keys needs the right form only", async () => {
    expect(await answersTo([{ bearer: unsignedBearer }])).toEqual(["200"]);
    expect(await answersTo([{ bearer: () => "bearer a.b.c" }])).toEqual(["InvalidProviderToken"]);
  });

  it("ages on the connection that uses it", async () => {
    const bearer = key.bearer(Date.now());
    const steps = [{ bearer: () => bearer }, { bearer: () => bearer, after: 61 * MINUTE }];
    expect(await answersTo(steps, { keys })).toEqual(["200", "ExpiredProviderToken"]);
  });

  it("may be renewed on a connection after 20 minutes, not before", async () => {
    const fresh = { bearer: (now: number) => key.bearer(now) };
    const steps = [fresh, { ...fresh, after: 19 * MINUTE }, { ...fresh, after: MINUTE }];
    expect(await answersTo(steps, { keys })).toEqual(["200", "TooManyProviderTokenUpdates", "200"]);
  });

  it("keeps working after a renewal that came too early", async () => {
    const first = key.bearer(Date.now());
    const steps = [
      { bearer: () => first },
      { bearer: (now: number) => key.bearer(now), after: MINUTE },
      { bearer: () => first },
    ];
    expect(await answersTo(steps, { keys })).toEqual(["200", "TooManyProviderTokenUpdates", "200"]);
  });

  it("of another team or key does not fit on a connection in use", async () => {
    const otherTeam = aSigningKey({ keyId: "KEYOFOTHER", teamId: "OTHERTEAM1" });
    const otherKey = aSigningKey({ keyId: "SECONDKEY1" });
    const registered = [...keys, otherTeam.registered, otherKey.registered];
    const first = key.bearer(Date.now());
    const strange = [otherTeam, otherKey].map((one) => one.bearer(Date.now()));
    const steps = [first, ...strange, first].map((bearer) => ({ bearer: () => bearer }));
    expect(await answersTo(steps, { keys: registered })).toEqual([
      "200",
      "InvalidProviderToken",
      "UnrelatedKeyIdInToken",
      "200",
    ]);
  });

  it("of a key for the other environment is refused", async () => {
    const sandboxed = aSigningKey({ environment: "sandbox" });
    const steps = [{ bearer: (now: number) => sandboxed.bearer(now) }];
    expect(await answersTo(steps, { keys: [sandboxed.registered] })).toEqual(["BadEnvironmentKeyIdInToken"]);
    expect(await answersTo(steps, { keys: [sandboxed.registered], environment: "sandbox" })).toEqual(["200"]);
  });

  it("of a key for other topics is refused", async () => {
    const narrow = aSigningKey({ topics: ["org.example.other"] });
    const steps = [{ bearer: (now: number) => narrow.bearer(now) }];
    expect(await answersTo(steps, { keys: [narrow.registered] })).toEqual(["TopicDisallowed"]);
  });

  it("counts for the whole key where that is asked for: workers that mint their own are refused", async () => {
    const clock = new ManualClock();
    await using simulator = await startApnsSimulator({ clock, keys, limitTokensOf: "key" });
    await using one = await connectTo(simulator);
    await using other = await connectTo(simulator);
    const shared = key.bearer(clock.now());
    expect(await one.push(TOKEN, { authorization: shared })).toMatchObject({ status: 200 });
    expect(await other.push(TOKEN, { authorization: key.bearer(clock.now() + 1_000) })).toMatchObject({
      status: 429,
    });
    expect(await other.push(TOKEN, { authorization: shared })).toMatchObject({ status: 200 });
    clock.advance(19 * MINUTE);
    await using third = await connectTo(simulator);
    expect(await third.push(TOKEN, { authorization: key.bearer(clock.now()) })).toMatchObject({
      status: 429,
    });
    clock.advance(MINUTE);
    expect(await third.push(TOKEN, { authorization: key.bearer(clock.now()) })).toMatchObject({
      status: 200,
    });
    simulator.reset();
    await using fourth = await connectTo(simulator);
    expect(await fourth.push(TOKEN, { authorization: key.bearer(clock.now()) })).toMatchObject({
      status: 200,
    });
  });

  it("counts for the key from its issue, not its first use: a start late in its life is no mistake", async () => {
    const clock = new ManualClock();
    await using simulator = await startApnsSimulator({ clock, keys, limitTokensOf: "key" });
    await using one = await connectTo(simulator);
    await using other = await connectTo(simulator);
    const late = key.bearer(clock.now() - 34 * MINUTE);
    expect(await one.push(TOKEN, { authorization: late })).toMatchObject({ status: 200 });
    const next = key.bearer(clock.now());
    expect(await other.push(TOKEN, { authorization: next })).toMatchObject({ status: 200 });
    expect(await one.push(TOKEN, { authorization: next })).toMatchObject({ status: 429 });
    expect(await one.push(TOKEN, { authorization: late })).toMatchObject({ status: 200 });
  });

  it("that expired can wedge its connection, while others work", async () => {
    const clock = new ManualClock();
    await using simulator = await startApnsSimulator({
      clock,
      keys,
      behaviour: { wedgeAfter: ["ExpiredProviderToken"] },
    });
    await using wedged = await connectTo(simulator);
    await using fresh = await connectTo(simulator);
    const rule = simulator.rules.add({ match: { connection: 1 } });
    const old = key.bearer(clock.now() - 61 * MINUTE);
    expect(await wedged.push(TOKEN, { authorization: old })).toMatchObject({ status: 403 });
    const never = wedged.push(TOKEN, { authorization: key.bearer(clock.now()) });
    expect(await fresh.push(TOKEN, { authorization: key.bearer(clock.now()) })).toMatchObject({
      status: 200,
    });
    expect(rule.hits).toBe(0);
    wedged.session.destroy();
    expect(await never).toMatchObject({ status: undefined });
  });
});
