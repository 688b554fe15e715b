import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { type Region, startRegion } from "@reveille/demo";
import {
  aToken,
  openServerDouble,
  type Program,
  type ServerDouble,
  startProsody,
  type TestProsody,
} from "@reveille/testkit";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { configOfHost } from "./reloading.ts";

const FOLDER = join(import.meta.dirname, "../output/cluster/domain-status");
const DOMAIN = "twice.example";
const READY = "ready: publishes are accepted";
const BY_REGION = / UTC, by the whole region$/;
const SOON = { timeout: 60_000, interval: 200 };

/** A region of two hosts: each has a Prosody and an ingress of its own, and the domain has a connection to both. */
let region: Region;
let secondFront: TestProsody;
let secondIngress: Program;
let toFirst: ServerDouble;
let toSecond: ServerDouble;

beforeAll(async () => {
  region = await startRegion({ folder: FOLDER, workers: 1, doubles: [DOMAIN] });
  secondFront = await startProsody({ components: [region.hostname, DOMAIN] });
  secondIngress = await region.startRole("ingress", "ingress-2", await configOfSecondHost());
  const { port, secret } = secondFront;
  toFirst = await region.openDouble(DOMAIN);
  toSecond = await openServerDouble({ port, secret, domain: DOMAIN });
});

afterAll(async () => {
  await toFirst[Symbol.asyncDispose]();
  await toSecond[Symbol.asyncDispose]();
  await region[Symbol.asyncDispose]();
  await secondFront[Symbol.asyncDispose]();
});

async function configOfSecondHost(): Promise<string> {
  const folder = join(FOLDER, "second");
  const secretFile = join(folder, "component.secret");
  await mkdir(join(folder, "run"), { recursive: true });
  await writeFile(secretFile, secondFront.secret, { mode: 0o600 });
  const component = { service: secondFront.service, domain: region.hostname, secretFile };
  const config = {
    ...(await configOfHost(region)),
    host: "s2.eu.push.example",
    runtimeDir: join(folder, "run"),
    ingress: { components: [component] },
  };
  const file = join(folder, "reveille.yaml");
  await writeFile(file, JSON.stringify(config));
  return file;
}

async function publish(server: ServerDouble, count: number): Promise<void> {
  for (let number = 0; number < count; number += 1) {
    const { type } = await server.publish({ to: region.hostname, node: aToken(`${number}`) });
    expect(type).toBe("result");
  }
}

let asked = 0;

/** The form's values by field, as the domain's server gets them. */
async function ask(server: ServerDouble): Promise<Readonly<Record<string, string>>> {
  asked += 1;
  const id = `ask-${asked}`;
  const command = "<command xmlns='http://jabber.org/protocol/commands' node='status'/>";
  const iq = `<iq type='set' id='${id}' from='${DOMAIN}' to='${region.hostname}'>${command}</iq>`;
  const { xml } = await server.ask(id, iq);
  const fields = xml.matchAll(/<field\b[^>]*?\bvar=["']([^"']*)["'][^>]*><value>([^<]*)</g);
  return Object.fromEntries([...fields].map(([, name = "", value]) => [name, value ?? ""]));
}

/** Accepted publishes, whatever became of them. */
const accepted = (form: Readonly<Record<string, string>>): number =>
  ["queued", "later", "merged"].reduce((sum, result) => sum + Number(form[`result-${result}`]), 0);

describe("what a domain is told of a region with two ingresses", () => {
  it("are the sums of both, whichever is asked", async () => {
    await publish(toFirst, 5);
    await publish(toSecond, 7);
    await toSecond.publish({ to: region.hostname, node: "no token" });
    for (const server of [toFirst, toSecond]) {
      await vi.waitFor(async () => expect(accepted(await ask(server))).toBe(12), SOON);
      const form = await ask(server);
      expect(form).toMatchObject({ service: READY, "result-no-device-token": "1" });
      expect(form["since"]).toMatch(BY_REGION);
    }
  });

  it("are those of an ingress that is gone, too", async () => {
    await publish(toSecond, 2);
    // It writes what is left when it ends, and loses nothing.
    await secondIngress.stop();
    expect(accepted(await ask(toFirst))).toBe(14);
    await toSecond.publish({ to: region.hostname, node: aToken("nobody there") });
    expect(accepted(await ask(toFirst))).toBe(14);
  });

  it("is what one process knows within a second while Redis hangs, and says so", async () => {
    await ask(toFirst);
    region.redis.signal("SIGSTOP");
    try {
      const from = performance.now();
      const form = await ask(toFirst);
      expect(performance.now() - from).toBeLessThan(5_000);
      expect(accepted(form)).toBe(5);
      expect(form["since"]).toMatch(/by one process of the region alone, since .* are out of reach$/);
      await vi.waitFor(async () => expect((await ask(toFirst))["service"]).toMatch(/^in trouble/), SOON);
    } finally {
      region.redis.signal("SIGCONT");
    }
    await vi.waitFor(async () => {
      const form = await ask(toFirst);
      expect(form["service"]).toBe(READY);
      expect(form["since"]).toMatch(BY_REGION);
    }, SOON);
    expect(accepted(await ask(toFirst))).toBe(14);
  });

  it("has the state of the region, not only that of the ingress that answers", async () => {
    await region.workers[0]?.stop();
    await vi.waitFor(
      async () =>
        expect((await ask(toFirst))["service"]).toBe(
          "in trouble: publishes are accepted, and pushes leave when it is over",
        ),
      SOON,
    );
    expect((await toFirst.publish({ to: region.hostname, node: aToken("later") })).type).toBe("result");
  });
});
