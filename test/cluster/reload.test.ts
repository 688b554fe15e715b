import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { type Region, startRegion } from "@reveille/demo";
import { until, type WireReply } from "@reveille/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { configOfHost, edit, reload } from "./reloading.ts";

const MODULE = "monalProdiOS";

let region: Region;

beforeAll(async () => {
  region = await startRegion({
    folder: join(import.meta.dirname, "../../.reveille/runs/reload-test"),
    doubles: ["load.example"],
  });
});
afterAll(async () => region[Symbol.asyncDispose]());

/** Publishes from one server, one every few milliseconds, each for a device of its own. */
async function load(module: string) {
  const server = await region.openDouble("load.example");
  const sent: { readonly token: string; readonly reply: Promise<WireReply> }[] = [];
  const stop = new AbortController();
  const running = (async () => {
    while (!stop.signal.aborted) {
      const token = randomBytes(32).toString("hex");
      sent.push({ token, reply: server.publish({ to: region.hostname, node: token, module }) });
      await pause(4);
    }
  })();
  return {
    sent,
    /** Ends it, and gives the replies that are no `result` and the tokens that APNs was not asked for. */
    end: async () => {
      stop.abort();
      await running;
      const replies = await Promise.all(sent.map(({ reply }) => reply));
      const tokens = sent.map(({ token }) => token);
      const missing = async (): Promise<readonly string[]> => {
        const asked = await region.apns.askedFor();
        return tokens.filter((token) => !asked.has(token));
      };
      const all = async () => ((await missing()).length === 0 ? true : undefined);
      await until(all, { what: "a push for each publish", withinMs: 90_000, everyMs: 100 }).catch(
        () => undefined,
      );
      await server[Symbol.asyncDispose]();
      return { refused: replies.filter(({ type }) => type !== "result"), missing: await missing() };
    },
  };
}

describe("reveille reload, under load", () => {
  it("changes window, limits, payload and credential without losing a publish or a push", async () => {
    const running = await load(MODULE);
    await until(() => (running.sent.length > 100 ? true : undefined), {
      what: "some load",
      withinMs: 60_000,
    });
    await edit(region, (config) => {
      const [name = "", module] = Object.entries(config.modules)[0] ?? [];
      const changed = { ...module, window: "3s", alert: { title: "Reloaded", body: "Reloaded" } };
      return { ...config, redis: { ...config.redis, memoryShare: 0.6 }, modules: { [name]: changed } };
    });
    const { code, stdout } = await reload(region);
    const key = (await configOfHost(region)).modules[MODULE]?.apns.keyFile ?? "";
    await writeFile(`${key}.copy`, await readFile(key));
    await edit(region, ({ modules, ...config }) => {
      const module = modules[MODULE];
      return {
        ...config,
        modules: { [MODULE]: { ...module, apns: { ...module?.apns, keyFile: `${key}.copy` } } },
      };
    });
    const second = await reload(region);
    const after = running.sent.length;
    await until(() => (running.sent.length > after + 100 ? true : undefined), {
      what: "more load",
      withinMs: 60_000,
    });
    expect(await running.end()).toEqual({ refused: [], missing: [] });
    expect(running.sent.length).toBeGreaterThan(200);
    const push = (await region.apns.pushesTo(running.sent.at(-1)?.token ?? "")).at(-1);
    expect(push).toMatchObject({ status: 200, payload: { aps: { alert: { title: "Reloaded" } } } });

    expect(code).toBe(0);
    for (const role of ["worker", "ingress"])
      expect(stdout).toMatch(new RegExp(`^${role} \\d+: reloaded$`, "m"));
    expect(stdout).toContain(`applied           modules.${MODULE}.window: "3s" (new)`);
    expect(stdout).toContain("applied           redis.memoryShare: 0.7 → 0.6");
    expect(second).toMatchObject({ code: 0 });
    expect(second.stdout).toContain(`modules.${MODULE}.apns.keyFile: "${key}" → "${key}.copy"`);
    expect(stdout + second.stdout).not.toContain((await readFile(key, "utf8")).split("\n")[1]);
  });

  it("takes a module in, and out again when all that was accepted for it is still to be sent", async () => {
    await using early = await region.openDouble("load.example");
    const node = randomBytes(32).toString("hex");
    const refused = await early.publish({ to: region.hostname, node, module: "added" });
    expect(refused).toMatchObject({ condition: "item-not-found" });
    await early[Symbol.asyncDispose]();

    await edit(region, ({ modules, ...config }) => ({
      ...config,
      modules: { ...modules, added: modules[MODULE] },
    }));
    expect(await reload(region)).toMatchObject({ code: 0 });
    // Slower than any machine publishes.
    await region.apns.behave({ latencyMs: 400, streamLimit: 6 });
    const running = await load("added");
    const waiting = async (): Promise<number> => {
      const asked = await region.apns.askedFor();
      return running.sent.filter(({ token }) => !asked.has(token)).length;
    };
    await until(async () => ((await waiting()) > 300 ? true : undefined), {
      what: "a backlog",
      withinMs: 60_000,
    });
    const [replies, { length }] = [running.sent.map(({ reply }) => reply), running.sent];
    await Promise.all(replies.slice(0, length));
    const ended = running.end();
    await edit(region, ({ modules: { added: _gone, ...modules }, ...config }) => ({ ...config, modules }));
    // Whoever publishes from now on for that module is told that it is not served, so the load ends first.
    await Promise.all(running.sent.map(({ reply }) => reply));
    const left = await waiting();
    const { code, stdout } = await reload(region);
    expect(await ended).toEqual({ refused: [], missing: [] });
    await region.apns.behave({ latencyMs: 0, streamLimit: 1_000 });
    expect(code).toBe(0);
    expect(stdout).toContain("modules.added.apns.topic: gone");
    expect(left).toBeGreaterThan(0);
  });

  it("takes SIGHUP for the same", async () => {
    await edit(region, (config) => ({ ...config, admission: { window: "19s" } }));
    region.ingress.signal("SIGHUP");
    const isTold = (text: string): boolean =>
      text.includes("configuration reloaded") && text.includes(`["admission.window"]`);
    await expect(region.ingress.line(isTold)).resolves.toBeDefined();
  });

  it("names what needs a restart, applies the rest, and changes nothing for a file with a mistake", async () => {
    await edit(region, (config) => ({ ...config, drainWithin: "20s", admission: { window: "18s" } }));
    const { code, stdout } = await reload(region);
    expect(code).toBe(0);
    expect(stdout).toContain(`needs a restart   drainWithin: "25s" → "20s"`);
    expect(stdout).toContain(`applied           admission.window:`);

    const good = await readFile(region.configFile, "utf8");
    await writeFile(region.configFile, good.replace(`"18s"`, `"17"`));
    const refused = await reload(region);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(
      /reveille\.yaml:\d+:\d+ admission\.window: must be a duration with a unit/,
    );
    region.ingress.signal("SIGHUP");
    await region.ingress.line((text) => text.includes("configuration refused; nothing has changed"));
    await writeFile(region.configFile, good);
  });

  it("has each role say that it refuses a credential that is not there", async () => {
    const good = await readFile(region.configFile, "utf8");
    await edit(region, ({ modules, ...config }) => {
      const module = modules[MODULE];
      return {
        ...config,
        modules: { [MODULE]: { ...module, apns: { ...module?.apns, keyFile: "/nowhere/key.p8" } } },
      };
    });
    const { code, stdout } = await reload(region);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ingress: not asked/m);
    expect(
      stdout.match(
        /^worker \d+: refused, nothing has changed\n {2}cannot read APNs key \/nowhere\/key\.p8: there is no such file/gm,
      ),
    ).toHaveLength(2);
    await writeFile(region.configFile, good);

    const running = await load(MODULE);
    await until(() => (running.sent.length > 50 ? true : undefined), { what: "some load", withinMs: 60_000 });
    expect(await running.end()).toEqual({ refused: [], missing: [] });
  });
});
