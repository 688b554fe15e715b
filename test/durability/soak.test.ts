import { type ChildProcess, fork } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { type ApnsSimulator, startApnsSimulator } from "@reveille/push-simulator";
import { describe, expect, it } from "vitest";

import { HEAP_FLAGS } from "../load/heap-flags.ts";

/** The long form is `pnpm soak`: ten minutes. */
const SECONDS = Number(process.env["SOAK_SECONDS"] ?? 30);
const RATE = Number(process.env["SOAK_RATE"] ?? 1_000);
/** How much larger the process may be at the end than when it was warm. */
const MOST_GROWTH = 1.1;

describe("push services at work for a long time", () => {
  it(
    "stay as large as they were, and settle every push, through all that Apple does meanwhile",
    async () => {
      await using apns = await startApnsSimulator({
        ledgerLimit: 0,
        behaviour: { latency: { kind: "uniform", from: 20, to: 80 }, streamLimit: 500 },
      });
      await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-soak-"));
      const child = await startPushing(apns, folder.path);
      const sizes: number[] = [];
      for (let second = 1; second <= SECONDS; second += 1) {
        await delay(1_000);
        disturb(apns, second);
        sizes.push(await residentOf(child));
      }
      const settled = await stop(child);
      // The first fifth is for warming up.
      const fifth = Math.floor(SECONDS / 5);
      const [warm, end] = [Math.max(...sizes.slice(fifth, 2 * fifth)), Math.max(...sizes.slice(-fifth))];
      const found = { seconds: SECONDS, rate: RATE, warmMiB: warm, endMiB: end, ...settled };
      process.stdout.write(`soak: ${JSON.stringify(found)}\n`);
      expect(end).toBeLessThanOrEqual(warm * MOST_GROWTH);
      expect(settled.sent).toBeGreaterThan((SECONDS * RATE) / 2);
      expect(settled.outcomes["delivered"]).toBeGreaterThan(settled.sent * 0.8);
      expect(Object.values(settled.outcomes).reduce((sum, count) => sum + count, 0)).toBe(settled.sent);
    },
    (SECONDS + 90) * 1_000,
  );
});

/** What a long day at Apple's brings, in short; no more new connections than a pool may open in a minute. */
function disturb(apns: ApnsSimulator, second: number): void {
  if (second === 1) {
    const busy = { kind: "answer", status: 503, reason: "ServiceUnavailable" } as const;
    apns.rules.add({ share: 0.02, fault: busy });
    apns.rules.add({ share: 0.02, fault: { kind: "answer", status: 410, reason: "Unregistered" } });
    apns.rules.add({ share: 0.02, fault: { kind: "reset-stream", code: "REFUSED_STREAM" } });
  }
  if (second % 10 === 5) apns.goaway({ reason: "Shutdown" });
  if (second % 25 === 20) apns.resetConnections();
  if (second % 11 === 0) apns.change({ streamLimit: 50 });
  if (second % 11 === 2) apns.change({ streamLimit: 500 });
}

async function startPushing(apns: ApnsSimulator, folder: string): Promise<ChildProcess> {
  const [keyFile, caFile] = [join(folder, "key.p8"), join(folder, "ca.pem")];
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await writeFile(keyFile, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  await writeFile(caFile, apns.ca);
  return fork(join(import.meta.dirname, "soak-process.ts"), [apns.url, keyFile, caFile, String(RATE)], {
    execArgv: [...HEAP_FLAGS],
  });
}

interface Settled {
  readonly sent: number;
  readonly outcomes: Readonly<Record<string, number>>;
}

const isSettled = (value: unknown): value is Settled =>
  typeof value === "object" && value !== null && "sent" in value && "outcomes" in value;

async function stop(child: ChildProcess): Promise<Settled> {
  const said = new Promise<unknown>((resolve) => child.once("message", resolve));
  child.send("stop");
  const settled = await said;
  if (isSettled(settled)) return settled;
  throw new Error("the soaked process has not said what became of its pushes");
}

/** In MiB. */
async function residentOf({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024;
}
