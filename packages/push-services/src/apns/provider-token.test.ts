import { generateKeyPairSync, verify } from "node:crypto";

import { ManualClock } from "@reveille/testkit";
import { minutes, seconds } from "@reveille/wakeup";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { signingKeyOf } from "./es256.ts";
import { providerTokens } from "./provider-token.ts";
import { TokenHold } from "./token-hold.ts";

const pair = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const issuer = {
  key: signingKeyOf(pair.privateKey.export({ format: "pem", type: "pkcs8" }).toString()),
  keyId: "KEYID12345",
  teamId: "TEAMID1234",
};

const fields = (part: string | undefined): unknown =>
  JSON.parse(Buffer.from(part ?? "", "base64url").toString());

/** Age by Apple's clock, in minutes, of the token a connection shows. */
function shownAge(bearer: string, apple: number): number {
  const payload = fields(bearer.split(".")[1]);
  const issuedAt =
    typeof payload === "object" && payload !== null && "iat" in payload ? Number(payload.iat) : Number.NaN;
  return (apple - issuedAt * 1_000) / 60_000;
}

describe("a provider token", () => {
  it("is a JWT of Apple's form that the key has signed", () => {
    const { bearer, issuedAt } = providerTokens(issuer, new ManualClock())();
    const [header, payload, signature] = bearer.replace("bearer ", "").split(".");
    expect(fields(header)).toEqual({ alg: "ES256", kid: "KEYID12345" });
    expect(fields(payload)).toEqual({ iss: "TEAMID1234", iat: issuedAt / 1_000 });
    const by = { key: pair.publicKey, dsaEncoding: "ieee-p1363" as const };
    expect(
      verify("sha256", Buffer.from(`${header}.${payload}`), by, Buffer.from(signature ?? "", "base64url")),
    ).toBe(true);
  });

  it("is the same in processes that know nothing of each other", () => {
    const clock = new ManualClock();
    expect(providerTokens(issuer, clock)()).toEqual(providerTokens(issuer, clock)());
  });

  it("changes every 35 minutes", async () => {
    const clock = new ManualClock();
    const current = providerTokens(issuer, clock);
    const seen = new Set<string>();
    for (let minute = 0; minute < 350; minute += 1) {
      seen.add(current().bearer);
      await clock.advance(minutes(1));
    }
    expect(seen.size).toBe(11);
  });
});

describe("the token a connection shows", () => {
  const skews = fc.oneof(fc.constantFrom(-10, 0, 10), fc.integer({ min: -10, max: 10 }));

  it("is neither from the future nor expired while clocks differ by up to 10 minutes, and seldom changes", async () => {
    const obeysApple = async (openedAt: number, skew: number): Promise<void> => {
      const clock = new ManualClock(Date.UTC(2026, 0, 1) + openedAt * 1_000);
      const hold = new TokenHold(providerTokens(issuer, clock), clock);
      let shown = hold.bearer();
      let changedAt = clock.monotonic();
      const holds: number[] = [];
      for (let step = 0; step < 400 && !hold.tooOld; step += 1) {
        const bearer = hold.bearer();
        const age = shownAge(bearer, clock.now() - skew * 60_000);
        expect(age).toBeGreaterThanOrEqual(0);
        expect(age).toBeLessThan(60);
        if (bearer !== shown) {
          holds.push(clock.monotonic() - changedAt);
          changedAt = clock.monotonic();
          shown = bearer;
        }
        await clock.advance(seconds(27));
      }
      expect(holds.every((hold) => hold > minutes(20))).toBe(true);
    };
    await fc.assert(fc.asyncProperty(fc.integer({ min: 0, max: 2_100 }), skews, obeysApple), { numRuns: 60 });
  });

  it("makes a connection that opens late in a term be replaced, once", async () => {
    const clock = new ManualClock(Date.UTC(2026, 0, 1));
    const current = providerTokens(issuer, clock);
    const before = current().issuedAt;
    while (current().issuedAt === before) await clock.advance(seconds(30));
    await clock.advance(minutes(34));
    const late = new TokenHold(current, clock);
    late.bearer();
    let held = 0;
    for (; !late.tooOld; held += 1) {
      late.bearer();
      await clock.advance(minutes(1));
    }
    expect(held).toBeLessThan(20);
    const next = new TokenHold(current, clock);
    for (let minute = 0; minute < 180; minute += 1) {
      next.bearer();
      expect(next.tooOld).toBe(false);
      await clock.advance(minutes(1));
    }
  });
});
