import { monitorEventLoopDelay } from "node:perf_hooks";

import {
  aModule,
  aPublish,
  aToken,
  openServerDouble,
  Program,
  type ServerDouble,
  startProsody,
} from "@reveille/testkit";
import { describe, expect, it, vi } from "vitest";

const program = new URL("fixtures/ingress-program.ts", import.meta.url).pathname;

async function anIngress(name: string, secret: string, services: readonly string[]): Promise<Program> {
  const args = [program, secret, aModule(), ...services];
  const ingress = await Program.start({ name, command: process.execPath, args });
  await ingress.line((text) => text === "started");
  return ingress;
}

/** Publishes every 10 ms until stopped. */
function publishing(server: ServerDouble): { readonly sent: () => number; readonly stop: () => void } {
  let sent = 0;
  const timer = setInterval(() => {
    sent += 1;
    server.send(aPublish({ id: String(sent), node: aToken(sent), module: aModule() }));
  }, 10);
  return { sent: () => sent, stop: () => clearInterval(timer) };
}

describe("two ingresses at two fronts", () => {
  it("serve both fronts within 3 s after one of them was killed; meanwhile senders hear wait or nothing", async () => {
    await using frontA = await startProsody();
    await using frontB = await startProsody();
    const { secret } = frontA;
    await using ingressA = await anIngress("ingress A", secret, [frontA.service, frontB.service]);
    await ingressA.line((text) => text === `${frontB.service} active`);
    await using ingressB = await anIngress("ingress B", secret, [frontB.service, frontA.service]);
    await ingressB.line((text) => text === `${frontA.service} standby`);
    await using atA = await openServerDouble({ port: frontA.port, domain: "server.localhost", secret });
    await using atB = await openServerDouble({ port: frontB.port, domain: "server.localhost", secret });
    const loads = [atA, atB].map(publishing);
    await vi.waitFor(() => expect(atB.replies.length).toBeGreaterThan(20));

    const killedAt = Date.now();
    const sentBefore = loads.map(({ sent }) => sent());
    const lag = monitorEventLoopDelay({ resolution: 10 });
    lag.enable();
    await ingressA.kill();
    /** When each server had its first reply to a publish that it sent after the death of A. */
    const servedAt = (): readonly (number | undefined)[] =>
      [atA, atB].map(
        ({ replies }, at) =>
          replies.find(({ id, type }) => type === "result" && Number(id) > (sentBefore[at] ?? 0) + 1)?.at,
      );
    await vi.waitFor(() => expect(servedAt()).not.toContain(undefined));
    lag.disable();
    for (const load of loads) load.stop();
    // What this process slept itself is not the ingress' fault.
    const took = Math.max(...servedAt().map((at = Number.NaN) => at - killedAt)) - lag.max / 1_000_000;
    expect(took).toBeLessThan(3_000);
    const heard = new Set(
      [atA, atB].flatMap(({ replies }) => replies.map(({ type, errorType }) => errorType ?? type)),
    );
    // A place that is taken between two publishes leaves nobody to hear `wait`.
    expect([...heard].filter((said) => said !== "wait")).toEqual(["result"]);
    await ingressB.stop();
  });
});
