import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type ModuleSettings } from "@reveille/push-services";
import { type Config, parseConfig } from "@reveille/runtime";
import { aModule, ManualClock } from "@reveille/testkit";
import { hours, millis, minutes, type PushModule } from "@reveille/wakeup";
import { describe, expect, it, onTestFinished, vi } from "vitest";

import { WorkerModules, type WorkerModulesOptions } from "./worker-modules.ts";

const configOf = (modules: Readonly<Record<string, string>>, certFile = "/a.p12"): Config =>
  parseConfig(
    JSON.stringify({
      region: "eu",
      host: "s1.eu.push.example",
      redis: { url: "redis://127.0.0.1:6379" },
      ingress: {
        components: [{ service: "xmpp://127.0.0.1:5347", domain: "eu.push.example", secretFile: "/secret" }],
      },
      modules: Object.fromEntries(
        Object.entries(modules).map(([name, deadline]) => [
          name,
          { apns: { topic: "org.example", environment: "production", certFile }, deadline },
        ]),
      ),
    }),
    "test",
  );

function aWorker(first: Config) {
  const clock = new ManualClock();
  const stop = new AbortController();
  const replace = vi.fn<(modules: ReadonlyMap<PushModule, ModuleSettings>) => Promise<void>>(() =>
    Promise.resolve(),
  );
  const pushServices = { replace, reload: () => Promise.resolve() };
  const prove = vi.fn<WorkerModulesOptions["prove"]>(() => Promise.resolve());
  const modules = new WorkerModules({ first, pushServices, prove, clock, stopped: stop.signal });
  const served = () => [...(replace.mock.lastCall?.[0].keys() ?? [])];
  return { modules, clock, replace, prove, served, stop };
}

const both = configOf({ stays: "1h", goes: "10m" });
const one = configOf({ stays: "1h" });

describe("a worker's modules", () => {
  it("keep one that went until the deadline of what was accepted for it", async () => {
    const { modules, clock, served } = aWorker(both);
    await modules.adopt(one);
    expect(served()).toEqual(["goes", "stays"]);
    expect(modules.known.get(aModule("goes"))?.deadline).toBe(minutes(10));
    await clock.advance(minutes(9));
    expect(served()).toEqual(["goes", "stays"]);
    await clock.advance(minutes(1));
    await vi.waitFor(() => expect(served()).toEqual(["stays"]));
    expect(modules.longestDeadline).toBe(hours(1));
  });

  it("count from when it went, whatever is reloaded after that", async () => {
    const { modules, clock, served } = aWorker(both);
    await modules.adopt(one);
    await clock.advance(minutes(9));
    await modules.adopt(one);
    await clock.advance(minutes(1));
    await vi.waitFor(() => expect(served()).toEqual(["stays"]));
  });

  it("take one in again that had not been forgotten", async () => {
    const { modules, clock, served } = aWorker(both);
    await modules.adopt(one);
    await modules.adopt(both);
    await clock.advance(minutes(20));
    await vi.waitFor(() => expect(served()).toEqual(["stays", "goes"]));
  });

  it("have the push service judge another credential before it is used, and only that", async () => {
    const { modules, replace, prove } = aWorker(both);
    await modules.adopt(configOf({ stays: "2h", goes: "10m", comes: "1h" }));
    expect(prove).not.toHaveBeenCalled();
    prove.mockRejectedValueOnce(new Error("Apple answers 403 InvalidProviderToken"));
    replace.mockClear();
    await expect(modules.adopt(configOf({ stays: "3h", goes: "10m" }, "/b.p12"))).rejects.toThrow("403");
    expect(prove.mock.calls.map(([name]) => name)).toEqual(["stays", "goes"]);
    expect(replace).not.toHaveBeenCalled();
    expect(modules.longestDeadline).toBe(millis(2 * hours(1)));
  });

  it("have the push service judge a file that a reload has renewed, though the configuration is the same", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-copies-"));
    vi.stubEnv("CREDENTIALS_DIRECTORY", folder.path);
    onTestFinished(() => void vi.unstubAllEnvs());
    const config = configOf({ stays: "1h" }, "/etc/reveille/apns/a.p12");
    const { modules, prove } = aWorker(config);
    await modules.adopt(config);
    expect(prove).not.toHaveBeenCalled();
    const copy = join(folder.path, "apns_a.p12");
    await writeFile(copy, "");
    await modules.adopt(config);
    expect(prove.mock.calls).toMatchObject([["stays", { apns: { credential: { certFile: copy } } }]]);
    await modules.adopt(config);
    expect(prove).toHaveBeenCalledTimes(1);
  });

  it("stay as they were when the push services refuse the new ones", async () => {
    const { modules, replace } = aWorker(both);
    replace.mockRejectedValueOnce(new Error("cannot read APNs key"));
    await expect(modules.adopt(one)).rejects.toThrow("cannot read APNs key");
    expect([...modules.known.keys()]).toEqual(["stays", "goes"]);
    await modules.adopt(configOf({ stays: "2h" }));
    expect(modules.longestDeadline).toBe(millis(2 * hours(1)));
  });
});
