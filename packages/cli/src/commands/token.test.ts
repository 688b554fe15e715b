import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openRegionSecret, redisAdmission } from "@reveille/admission";
import { aModule, anFcmToken, aRegion, aToken, aWakeup, startRedis, type TestRedis } from "@reveille/testkit";
import { systemClock } from "@reveille/runtime";
import { fingerprintOf, hours, minutes } from "@reveille/wakeup";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "../main.ts");
const EXAMPLE = join(import.meta.dirname, "../../../../deploy/config.example.yaml");

let server: TestRedis;
let redis: Awaited<ReturnType<TestRedis["connect"]>>;
let folder: string;
let config: string;

beforeAll(async () => {
  server = await startRedis();
  redis = await server.connect();
  folder = await mkdtemp(join(tmpdir(), "reveille-token-"));
  config = join(folder, "reveille.yaml");
  const example = await readFile(EXAMPLE, "utf8");
  const text = example.replace(/^ {2}url: .*$/m, `  url: "redis+unix://${server.path}"`);
  const fcm = "{ projectId: my-project, serviceAccountFile: /etc/reveille/fcm.json }";
  await writeFile(config, text.replace(/^modules:$/m, `modules:\n  android: { fcm: ${fcm} }`));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});
beforeEach(async () => void (await redis.flushall()));

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `reveille token …`, with this on its standard input. */
async function token(args: readonly string[], input = ""): Promise<Run> {
  return new Promise((resolve) => {
    const command = [MAIN, "token", ...args, "--config", config];
    const child = execFile(process.execPath, command, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}

const json = async (args: readonly string[], input?: string): Promise<unknown> =>
  JSON.parse((await token([...args, "--json"], input)).stdout);

async function anAdmission() {
  const secret = await openRegionSecret(redis, aRegion());
  const admission = redisAdmission({
    redis,
    region: aRegion(),
    secret,
    windowOf: () => minutes(10),
    forgetDeadAfter: () => hours(1),
    clock: systemClock,
    observe: () => undefined,
  });
  return { admission, fingerprint: fingerprintOf(secret, aToken()) };
}

const A_NUMBER: unknown = expect.any(Number);

describe("reveille token", () => {
  it("shows a device by its token on standard input, and by its fingerprint", async () => {
    const { admission, fingerprint } = await anAdmission();
    const unknown = { fingerprint, module: aModule(), state: "unknown" };
    expect(await json(["status"], `${aToken().toUpperCase()}\n`)).toEqual(unknown);
    await admission.decide([aWakeup()]);
    const woken = { ...unknown, state: "granted", at: A_NUMBER, lastsMs: A_NUMBER };
    expect(await json(["status"], aToken())).toEqual(woken);
    expect(await json(["status", "--fingerprint", fingerprint])).toEqual(woken);
    expect((await token(["status", "--fingerprint", fingerprint])).stdout).toMatch(
      /^device \S{16}, module monalProdiOS\nwoken at 20\d\d-\d\d-\d\d \S+ UTC; no push was accepted for it yet\nremembered for another \d+ (?:days|hours|minutes|s)\n$/,
    );
  });

  it.each([`\r\n`, "  \n", "\n\n"])("takes a token that is followed by %j", async (end) => {
    const { fingerprint } = await anAdmission();
    expect(await json(["status"], `${aToken()}${end}`)).toMatchObject({ fingerprint });
  });

  it("knows the devices of a module with tokens of FCM", async () => {
    const secret = await openRegionSecret(redis, aRegion());
    const known = { fingerprint: fingerprintOf(secret, anFcmToken()), module: "android", state: "unknown" };
    expect(await json(["status", "--module", "android"], `${anFcmToken()}\n`)).toEqual(known);
  });

  it("blocks it for a while, and forgets it", async () => {
    const { admission, fingerprint } = await anAdmission();
    const unasked = await token(["block", "--for", "2h"], aToken());
    expect(unasked).toMatchObject({ code: 2, stdout: "" });
    expect(unasked.stderr).toContain(`blocking device ${fingerprint} ends its registration: 1 device`);
    expect(unasked.stderr).toContain("add --yes");
    expect(await json(["status"], aToken())).toMatchObject({ state: "unknown" });
    const blocked = { state: "dead", reason: "blocked", lastsMs: A_NUMBER };
    expect(await json(["block", "--yes", "--for", "2h"], aToken())).toMatchObject(blocked);
    expect(await admission.decide([aWakeup()])).toEqual([{ kind: "dead" }]);
    expect((await token(["status"], aToken())).stdout).toContain("an operator has blocked it");
    expect(await json(["forget", "--fingerprint", fingerprint])).toMatchObject({ state: "unknown" });
    expect(await admission.decide([aWakeup()])).toEqual([{ kind: "now" }]);
  });

  it.each([
    [["status"], "secret words", "standard input holds no device token: it is 32 to 512 hex digits"],
    [["status"], "", "standard input holds no device token"],
    [["forget"], `${aToken(1)}\n${aToken(2)}\n`, "on one line"],
    [["status", "--module", "android"], aToken().slice(0, 31), "it is 32 to 512 of A-Z a-z 0-9 _ : -"],
    [["status", "--fingerprint", "short"], "", "not a fingerprint"],
    [["status", "--module", "monal"], aToken(), 'no module "monal"; it has: android, monalProdiOS'],
    [["block", "--for", "soon"], aToken(), "not a duration"],
    [["status", aToken()], "", "no argument is taken"],
  ])("says how to mend %j", async (args, input, message) => {
    const { code, stdout, stderr } = await token(args, input);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain("secret words");
    expect(stderr).not.toContain(aToken());
  });
});
