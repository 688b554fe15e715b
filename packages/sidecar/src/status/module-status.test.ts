import { type Health } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { aHost } from "../testing/a-host.ts";
import { parsedStatus } from "../testing/parsed-status.ts";
import { family } from "../testing/some-metrics.ts";
import { METRICS } from "./metric-names.ts";

const BECAUSE = "10.0.0.1 refuses";

/** The parts of a worker whose modules `a`, `b`, `c` … fare so. */
const waysOf = (...kinds: readonly Health["kind"][]) =>
  kinds.map((kind, index) => ({
    part: `${index % 2 === 0 ? "apns" : "fcm"} ${"abcd"[index]}`,
    health: kind === "failing" ? { kind, because: BECAUSE } : { kind },
    anyOf: "apns",
  }));

describe("the modules of a host", () => {
  it("are told with their breaker and the expiry of their credential", async () => {
    await using host = await aHost();
    await host.role({
      metrics: [
        family(METRICS.breaker, [
          [{ module: "a", state: "closed" }, 1],
          [{ module: "a", state: "open" }, 0],
          [{ module: "b", state: "closed" }, 0],
          [{ module: "b", state: "open" }, 1],
        ]),
        family(METRICS.credentialExpiry, [[{ module: "b" }, 1_800_000_000]]),
      ],
    });
    const sidecar = await host.start();
    expect(parsedStatus((await sidecar.get("/status.json")).text).modules).toEqual([
      { module: "a", sending: null, breaker: "closed", credentialExpiresAt: null },
      { module: "b", sending: null, breaker: "open", credentialExpiresAt: 1_800_000_000_000 },
    ]);
  });

  it("are told with whether a worker of this host can send, without those that are gone", async () => {
    await using host = await aHost();
    const gone = family(METRICS.breaker, [[{ module: "gone", state: "closed" }, 1]]);
    await host.role({
      pid: 1,
      parts: waysOf("failing", "failing", "starting"),
      metrics: [gone],
    });
    await host.role({ pid: 2, parts: waysOf("ready", "starting", "draining") });
    (await host.role({ pid: 3, parts: waysOf("failing", "ready") })).hang();
    const starting = host.start();
    await host.clock.patienceEnds(1);
    const sidecar = await starting;
    const { modules } = parsedStatus((await sidecar.get("/status.json")).text);
    expect(modules.map(({ module, sending }) => [module, sending])).toEqual([
      ["a", "ready"],
      ["b", "failing"],
      ["c", "starting"],
    ]);
  });

  it("for whose apps push does not work are named in the headline, as long as it does for others", async () => {
    await using host = await aHost();
    await host.role({ role: "ingress", pid: 7 });
    const worker = await host.role({ parts: waysOf("ready", "failing") });
    const sidecar = await host.start();
    const said = async () => {
      const { text } = await sidecar.get("/");
      expect(text).not.toContain(BECAUSE);
      return [
        /<h1>(.*)<\/h1>/.exec(text)?.[1],
        ...[...text.matchAll(/<li>(.*?)<\/li>/g)].map(([, why]) => why),
      ];
    };
    const now = async (...ways: readonly Health["kind"][]) => {
      worker.set({ parts: waysOf(...ways) });
      await host.clock.polls();
      return said();
    };
    const mute = (module: string): string => `push service of ${module} – out of reach of this host`;
    expect(await said()).toEqual(["Push works here, except for the apps of b", mute("b")]);
    expect((await sidecar.get("/")).text).toContain(
      "<title>Push works here, except for the apps of b – eu</title>",
    );
    expect(await now("failing", "ready", "failing")).toContain(
      "Push works here, except for the apps of a and c",
    );
    expect(await now("failing", "failing", "failing", "ready")).toContain(
      "Push works here, except for the apps of 3 modules",
    );
    // Others of the region send, or the host would not be ready.
    expect(await now("failing", "failing")).toEqual(["Push works, with trouble", mute("a"), mute("b")]);
    expect(await now("ready", "starting")).toEqual(["Push works"]);
  });
});
