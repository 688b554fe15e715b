import { readFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parseConfig } from "@reveille/runtime";
import { startRedis, type TestRedis } from "@reveille/testkit";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";

import { keptData } from "../privacy/kept-data.ts";
import { runPrivacyReport } from "./privacy.ts";

const EXAMPLE = new URL("../../../../deploy/config.example.yaml", import.meta.url);
const DOCUMENT = new URL("../../../../docs/privacy.md", import.meta.url);
const HASH = "abcdefghijklmnopqrstuv";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "reveille-privacy-"));
});
afterAll(async () => rm(folder, { recursive: true }));

async function report(redis: TestRedis, json: boolean): Promise<string> {
  const config = join(folder, "reveille.yaml");
  const example = await readFile(EXAMPLE, "utf8");
  await writeFile(config, example.replace(/^ {2}url: .*$/m, `  url: "redis+unix://${redis.path}"`));
  const written: string[] = [];
  const output = vi
    .spyOn(process.stdout, "write")
    .mockImplementation((text) => written.push(String(text)) > 0);
  onTestFinished(() => {
    process.exitCode = undefined;
  });
  await runPrivacyReport({ config, json }).finally(() => output.mockRestore());
  return written.join("");
}

describe("reveille privacy report", () => {
  it("prints what is kept, with the durations of the configuration, and the keys there are", async () => {
    await using redis = await startRedis();
    const client = await redis.connect();
    await client.set(`{eu}d${HASH}`, "1", "PX", 30_000);
    await client.set("{eu}clock", "1 1");
    await client.set("{us}other", "1");
    const text = await report(redis, false);
    expect(text).toContain("Redis, queue: until Apple has answered, 1h at most after it came");
    expect(text).toContain("log: not written: log.level is info");
    expect(text).toMatch(/\{eu\}d… +1 {2}expires within (?:30|29)s: under a keyed hash/);
    expect(text).toMatch(/\{eu\}clock +1 {2}kept: the region's time/);
    expect(text).toContain("Every key is of a known kind, and all that should expire do.");
    expect(process.exitCode).toBeUndefined();
  });

  it("names whose push services the modules are of", () => {
    const apns = {
      topic: "a.b",
      environment: "production",
      keyFile: "/k",
      keyId: "ABC1234567",
      teamId: "TEAM123456",
    };
    const fcm = { projectId: "my-project", serviceAccountFile: "/account.json" };
    const placesOf = (modules: object): readonly string[] => {
      const service = { service: "xmpp://127.0.0.1:5347", domain: "eu.push.example", secretFile: "/secret" };
      const raw = { region: "eu", host: "s1.example", redis: { url: "redis://127.0.0.1" } };
      const text = JSON.stringify({ ...raw, ingress: { components: [service] }, modules });
      return keptData(parseConfig(text, "reveille.yaml")).map(({ where }) => where);
    };
    expect(placesOf({ a: { apns } })).toContain("Apple");
    expect(placesOf({ a: { fcm } })).toContain("Google");
    expect(placesOf({ a: { apns }, b: { fcm } })).toContain("Apple, Google");
  });

  it("fails on a key that nobody knows and on one that should expire and doesn't", async () => {
    await using redis = await startRedis();
    const client = await redis.connect();
    await client.set(`{eu}a${HASH}`, "1");
    await client.set("{eu}tokens", "1");
    expect(JSON.parse(await report(redis, true))).toMatchObject({
      region: "eu",
      keys: [{ kind: "accepted", keys: 1, endless: 1, expires: true }],
      unknown: 1,
      unending: 1,
      isSample: false,
    });
    expect(process.exitCode).toBe(1);
  });

  it("says what docs/privacy.md says, for the example configuration", async () => {
    const config = parseConfig(await readFile(EXAMPLE, "utf8"), "config.example.yaml");
    const document = await readFile(DOCUMENT, "utf8");
    for (const { what, where, kept } of keptData(config)) {
      expect(document).toContain(`| ${what} | ${where} | ${kept} |`);
    }
  });

  it("says so when the log has fingerprints", async () => {
    const example = await readFile(EXAMPLE, "utf8");
    const config = parseConfig(example.replace("level: info", "level: debug"), "example");
    expect(keptData(config).find(({ where }) => where === "log")?.kept).toMatch(
      /^written: log.level is debug/,
    );
  });
});
