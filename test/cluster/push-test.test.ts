import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { startFcmSimulator } from "@reveille/push-simulator";
import { type Region, startRegion } from "@reveille/demo";
import { anFcmToken } from "@reveille/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "../../packages/cli/src/main.ts");
const MODULE = "monalProdiOS";

let region: Region;

/** A command has to have ended, and the next one to have started, before it is over. */
const WINDOW = "15s";

beforeAll(async () => {
  region = await startRegion({
    folder: join(import.meta.dirname, "../../.reveille/runs/push-test-test"),
    window: WINDOW,
  });
});
afterAll(async () => region[Symbol.asyncDispose]());

const aDevice = (): string => randomBytes(32).toString("hex");

/** Runs the command as an operator does, with the token on standard input. */
const pushTest = (token: string, ...args: readonly string[]) => pushTestIn(region, token, ...args);

async function pushTestIn({ configFile }: Region, token: string, ...args: readonly string[]) {
  const command = [MAIN, "push-test", "--config", configFile, ...args];
  const child = spawn(process.execPath, command, { stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end(`${token}\n`);
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

describe("reveille push-test", () => {
  it("sends one push by queue and workers, and says that Apple has accepted it", async () => {
    const token = aDevice();
    const { code, stdout } = await pushTest(token, "--module", MODULE);
    expect(stdout).toMatch(/^Admission: it may leave now\.\nApple has accepted the push \([0-9a-f-]{36}\)\./);
    expect(code).toBe(0);
    const pushes = await region.apns.pushesTo(token);
    expect(pushes).toHaveLength(1);
    expect(stdout).toContain(pushes[0]?.apnsId);
    expect(region.wakeups.filter(({ apnsId }) => apnsId === pushes[0]?.apnsId)).not.toEqual([]);
  });

  it("waits for the end of the window when the device has had a push", async () => {
    const token = aDevice();
    await pushTest(token, "--module", MODULE);
    const { code, stdout } = await pushTest(token, "--module", MODULE);
    expect(stdout).toMatch(/^Admission: the device had a push in this window.*\nApple has accepted the push/);
    expect(code).toBe(0);
    expect(await region.apns.pushesTo(token)).toHaveLength(2);
  });

  it("says in plain words that the device is gone, and then that this is known", async () => {
    const token = aDevice();
    await region.apns.kill([token]);
    const first = await pushTest(token, "--module", MODULE, "--json");
    expect(first.code).toBe(1);
    expect(JSON.parse(first.stdout)).toMatchObject({
      module: MODULE,
      verdict: "now",
      delivered: false,
      answers: [{ kind: "settled", outcome: { kind: "token-dead", reason: "Unregistered" } }],
      says: [expect.anything(), expect.stringContaining("the app was removed from the device")],
    });
    const second = await pushTest(token, "--module", MODULE);
    expect(second.stdout).toContain("known to be dead");
    expect(second.code).toBe(1);
  });

  it("says that nobody sends, when no worker runs", async () => {
    for (const worker of region.workers) await worker.stop();
    const { code, stdout } = await pushTest(aDevice(), "--module", MODULE, "--within", "1s");
    expect(stdout).toContain("No worker has told anything within 1s");
    expect(code).toBe(1);
  });

  it.each([
    ["no token", "hello", ["--module", MODULE], "standard input holds no device token"],
    [
      "an unknown module",
      aDevice(),
      ["--module", "monal"],
      `no module "monal"; those of the configuration: ${MODULE}`,
    ],
  ])("refuses %s", async (_what, token, args, message) => {
    const { code, stderr } = await pushTest(token, ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe("reveille push-test, for an Android app", () => {
  it("says what Google has answered", async () => {
    await using google = await startFcmSimulator();
    await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-fcm-"));
    const [caFile, serviceAccountFile] = [join(folder.path, "ca.pem"), join(folder.path, "account.json")];
    await writeFile(caFile, google.ca);
    await writeFile(serviceAccountFile, google.serviceAccount, { mode: 0o600 });
    const way = { projectId: google.projectId, serviceAccountFile, endpoint: google.url, caFile };
    await using android = await startRegion({
      folder: join(import.meta.dirname, "../../.reveille/runs/push-test-fcm-test"),
      workers: 1,
      window: "1s",
      modules: { android: { fcm: way } },
    });
    const token = anFcmToken("nurse");
    const sent = await pushTestIn(android, token, "--module", "android");
    expect(sent.stdout).toMatch(/^Admission: it may leave now\.\nGoogle has accepted the push/);
    expect(sent.code).toBe(0);
    expect(google.pushes).toMatchObject([{ status: 200, message: { token } }]);

    google.kill([token]);
    const gone = await pushTestIn(android, token, "--module", "android");
    expect(gone.stdout).toContain(
      "Google does not know the device token (UNREGISTERED): the app was removed",
    );
    expect(gone.code).toBe(1);

    const wrong = await pushTestIn(android, aDevice().slice(0, 8), "--module", "android");
    expect(wrong.stderr).toContain("32 to 512 of A-Z a-z 0-9 _ : -");
    expect(gone.stdout + sent.stdout + wrong.stderr).not.toContain(token);
  });
});
