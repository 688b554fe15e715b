import { execFile } from "node:child_process";
import { join } from "node:path";

import { type Region, startRegion } from "@reveille/demo";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "../../packages/cli/src/main.ts");

let region: Region;

beforeAll(async () => {
  region = await startRegion({
    folder: join(import.meta.dirname, "../../.reveille/runs/doctor-test"),
    workers: 1,
  });
});
afterAll(async () => region[Symbol.asyncDispose]());

interface Diagnosis {
  readonly code: number | null;
  readonly failing: readonly string[];
  readonly text: string;
}

/** Runs the doctor as an operator does. */
async function doctor(): Promise<Diagnosis> {
  const args = ["--config", region.configFile, "--dns", region.dnsServer, "--ca", region.authorityFile];
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [MAIN, "doctor", ...args, "--peer", region.sidecarUrl],
      (_error, stdout) =>
        resolve({
          code: child.exitCode,
          failing: stdout.split("\n").filter((line) => line.startsWith("FAIL")),
          text: stdout,
        }),
    );
  });
}

describe("reveille doctor", () => {
  it("finds a whole region healthy, from the files to the certificate that other servers see", async () => {
    const { code, failing, text } = await doctor();
    expect(failing).toEqual([]);
    expect(code).toBe(0);
    for (const line of [
      /^ok {4}APNs production for monalProdiOS: reachable, credential and topic accepted$/m,
      /^ok {4}clock against Redis': agree$/m,
      /^ok {4}component eu\.push\.example at .*: the running ingress/m,
      // The test authority issues what public ones do since 2026.
      /^warn {2}s2s STARTTLS at s1\.eu\.push\.example:\d+: valid for \d+ days, but for servers alone/m,
      /^ok {4}worker \d+: ready$/m,
      /^ok {4}peer host 127\.0\.0\.1:\d+: ready$/m,
    ]) {
      expect(text).toMatch(line);
    }
  });

  it("names the front when it is gone, and what stands still because of it", async () => {
    await region.front.stop();
    const { code, failing } = await doctor();
    expect(code).toBe(1);
    // The sidecar gives a host a few seconds before it calls it not ready.
    expect(failing.filter((line) => !line.includes("peer host"))).toEqual([
      expect.stringMatching(/^FAIL {2}component eu\.push\.example at .*: refused: ECONNREFUSED$/),
      expect.stringMatching(/^FAIL {2}s2s STARTTLS at .*: cannot connect: connect ECONNREFUSED/),
      expect.stringMatching(/^FAIL {2}ingress \d+: component: /),
    ]);
  });
});
