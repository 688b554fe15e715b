import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { type ChatClient, type ReceivedPush, type Region, startRegion } from "@reveille/demo";
import { until } from "@reveille/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const FOLDER = join(import.meta.dirname, "../output/cluster/push");
const WITHIN = 60_000;

/** Strings of the whole run that must not stand in any log. */
const secrets = new Set<string>();

let region: Region;
let romeo: ChatClient;

beforeAll(async () => {
  region = await startRegion({ folder: FOLDER, window: "3s", doubles: ["burst.example"] });
  romeo = await region.sender.login(secret("romeo"));
});

afterAll(async () => {
  await romeo[Symbol.asyncDispose]();
  await region[Symbol.asyncDispose]();
});

function secret(name: string): string {
  const text = `${name}-${randomUUID().slice(0, 8)}`;
  secrets.add(text);
  return text;
}

function token(): string {
  const hex = `${randomUUID()}${randomUUID()}`.replaceAll("-", "");
  secrets.add(hex);
  return hex;
}

const isToken = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);

/** A token as jobs and trailing pushes hold it. */
const asInRedis = (token: string): string => Buffer.from(token, "hex").toString("base64url");

interface Sleeper {
  readonly user: string;
  readonly token: string;
}

/** A person whose phone has registered a push and sleeps; `module: null` registers without naming one. */
async function aSleeper(module: string | null = "monalProdiOS"): Promise<Sleeper> {
  const sleeper = { user: secret("juliet"), token: token() };
  await region.sender.enablePush(sleeper.user, {
    service: region.hostname,
    node: sleeper.token,
    ...(module === null ? {} : { options: { pushModule: module } }),
  });
  return sleeper;
}

/** Romeo writes; gives the reply that the sender's server got to its publish. */
async function write(to: Sleeper, body?: string) {
  const before = region.sender.publishes.length;
  await romeo.sendMessage(`${to.user}@${region.sender.domain}`, body);
  const publish = await until(() => region.sender.publishes[before], {
    what: "the publish",
    withinMs: WITHIN,
  });
  const reply = await until(() => region.sender.replies.find(({ id }) => id === publish.id), {
    what: "the reply",
    withinMs: WITHIN,
  });
  return { publish, reply };
}

/** The pushes to a device once there are `count` of them and all are answered. */
async function pushesTo(sleeper: Sleeper, count: number): Promise<readonly ReceivedPush[]> {
  return until(
    async () => {
      const pushes = await region.apns.pushesTo(sleeper.token);
      return pushes.length >= count && pushes.every(({ status }) => status !== undefined)
        ? pushes
        : undefined;
    },
    { what: `${count} pushes`, withinMs: WITHIN },
  );
}

const recordsOf = (push: ReceivedPush | undefined) =>
  region.wakeups.filter(({ apnsId }) => apnsId === push?.apnsId);

describe("a region behind a real server", () => {
  it("wakes a sleeping device for a message", async () => {
    const juliet = await aSleeper();
    const { publish, reply } = await write(juliet, secret("body"));
    expect(publish.important).toBe(true);
    expect(reply).toMatchObject({ type: "result", from: region.hostname });

    const [push, ...others] = await pushesTo(juliet, 1);
    expect(others).toEqual([]);
    expect(push).toMatchObject({
      status: 200,
      headers: { "apns-topic": "G7YU7X7KRJ.SworIM", "apns-push-type": "alert", "apns-priority": "10" },
      payload: { aps: { "mutable-content": 1, alert: { title: "New Message" } } },
    });
    await expect
      .poll(() => recordsOf(push))
      .toMatchObject([
        { kind: "admitted", verdict: "now" },
        { kind: "settled", outcome: "delivered" },
      ]);
  });

  it("wakes it as well for what a person doesn't see", async () => {
    const juliet = await aSleeper();
    const { publish, reply } = await write(juliet);
    expect(publish.important).toBe(false);
    expect(reply.type).toBe("result");
    expect(await pushesTo(juliet, 1)).toMatchObject([{ status: 200 }]);
  });

  it("covers all further messages of a window with one push at its end", async () => {
    const juliet = await aSleeper();
    const answers = [await write(juliet, "1"), await write(juliet, "2"), await write(juliet, "3")];
    expect(answers.map(({ reply }) => reply.type)).toEqual(["result", "result", "result"]);

    const [first, trailing] = await pushesTo(juliet, 2);
    expect(first?.receivedAt).toBeLessThan(Number(trailing?.receivedAt));
    // The window begins when the first wakeup is admitted, which is after its publish.
    expect(trailing?.receivedAt).toBeGreaterThan(Number(answers[0]?.publish.at) + 3_000);
    // Once the trailing push has left, its window is the next one: were there a third push to come, it would come now.
    await write(juliet, "4");
    expect(await pushesTo(juliet, 3)).toHaveLength(3);
  });

  it("takes a publish that names no module for the default one", async () => {
    const juliet = await aSleeper(null);
    const { reply } = await write(juliet, "hello");
    expect(reply.type).toBe("result");
    expect(await pushesTo(juliet, 1)).toMatchObject([{ status: 200 }]);
  });

  it("has the server forget a registration for a module that never was", async () => {
    const juliet = await aSleeper("noSuchModule");
    const { reply } = await write(juliet, "hello");
    expect(reply).toMatchObject({ type: "error", errorType: "cancel", condition: "item-not-found" });
    expect(await region.apns.pushesTo(juliet.token)).toEqual([]);
  });

  it("has the server forget a device that APNs calls gone, if it is one that does", async () => {
    const juliet = await aSleeper();
    await region.apns.kill([juliet.token]);
    const { reply } = await write(juliet, "hello");
    expect(reply.type).toBe("result");
    const [push] = await pushesTo(juliet, 1);
    expect(push).toMatchObject({ status: 410, reason: "Unregistered" });
    await until(() => recordsOf(push).find(({ kind }) => kind === "settled"), {
      what: "the outcome",
      withinMs: WITHIN,
    });

    // Prosody 0.12 removes a registration at the 16th error in a row that is no `wait`; 13 never does (docs/xmpp-admins.md).
    const { stdout } = await promisify(execFile)("prosodyctl", ["about"]);
    const forgets = stdout.startsWith("Prosody 0.12");
    for (let count = 1; count <= 16; count += 1) {
      expect(await region.sender.registrations(juliet.user)).toEqual([juliet.token]);
      const answer = await write(juliet, `are you there? ${count}`);
      expect(answer.reply).toMatchObject({ type: "error", errorType: "cancel", condition: "item-not-found" });
    }
    const left = forgets ? [] : [juliet.token];
    await expect.poll(async () => region.sender.registrations(juliet.user)).toEqual(left);
    expect(await region.apns.pushesTo(juliet.token)).toHaveLength(1);
    if (!forgets) return;
    // As docs/xmpp-admins.md tells administrators.
    const log = await readFile(join(region.logFolder, "sender.log"), "utf8");
    expect(log).toContain(
      "Got error <cancel:item-not-found:The device token is no longer valid.> for identifier",
    );
    expect(log).toContain("error count for this identifier is now at 16");
    expect(log).toContain("Disabling push notifications for identifier");
  });

  it("asks APNs for all 500 devices of a burst though a worker is killed in it", async () => {
    await using server = await region.openDouble("burst.example");
    const tokens = Array.from({ length: 500 }, token);
    const [sender, body] = [secret("sender"), secret("body")];
    // Slow enough that the worker dies with most of its batches still to be sent.
    await region.apns.behave({ latencyMs: 100, streamLimit: 4 });
    const replies = Promise.all(
      tokens.map(async (node) =>
        server.publish({ to: region.hostname, node, module: "monalProdiOS", sender, body }),
      ),
    );
    const asked = async (): Promise<number> => {
      const askedFor = await region.apns.askedFor();
      return tokens.filter((one) => askedFor.has(one)).length;
    };
    await until(async () => ((await asked()) > 20 ? true : undefined), {
      what: "the burst",
      withinMs: WITHIN,
    });
    await region.workers[0]?.kill();

    expect(new Set((await replies).map(({ type }) => type))).toEqual(new Set(["result"]));
    await until(async () => ((await asked()) === 500 ? true : undefined), {
      what: "a push to each of the 500 devices",
      withinMs: 150_000,
      everyMs: 100,
    });
    await region.apns.behave({ latencyMs: 0, streamLimit: 1_000 });
  });

  it("tells a person about the domain of their server, by an ad-hoc command over s2s", async () => {
    // Who asks makes their address known, and a front that logs at debug writes it down: not one of `secrets`.
    await using admin = await region.sender.login("admin");
    expect(await admin.commandsOf(region.hostname)).toEqual(["status"]);
    expect(await admin.runCommand(region.hostname, "status")).toMatchObject({
      service: "ready: publishes are accepted",
      figures: "in steps of 10; exact ones for the server itself",
      // The sixteen of the device that is gone; the 500 of the burst were another domain's.
      "result-token-dead": "10 or more",
      "result-unknown-module": "fewer than 10",
      limit: "1000 a second, 20000 at once; not exceeded in the last hour",
      "clear-content": "none",
    });
    await using burst = await region.openDouble("burst.example");
    const { xml } = await burst.ask(
      "command",
      `<iq type='set' id='command' from='burst.example' to='${region.hostname}'><command xmlns='http://jabber.org/protocol/commands' node='status'/></iq>`,
    );
    const count = (result: string): number =>
      Number(new RegExp(`'result-${result}'[^>]*><value>(\\d+)<`).exec(xml)?.[1]);
    // A micro-batch whose decision takes too long is decided again, and finds the departures that were granted: `later`.
    expect(count("later")).toBeLessThanOrEqual(128);
    expect(count("queued") + count("later")).toBe(500);
    expect(xml).toMatch(/clear-content[^>]*><value>500; we drop both unread</);
  });

  it("has written no sender, body, local part or domain into Redis, nor into a push", async () => {
    const folder = join(region.folder, "redis/appendonlydir");
    const files = await Promise.all(
      (await readdir(folder)).map(async (name) => readFile(join(folder, name), "latin1")),
    );
    const names = [...secrets].filter((one) => !isToken(one));
    // A domain that sends content in clear, and only such a one, stands in the list for the operator.
    const beside = files.join("").replaceAll(/burst\.example [a-z]+\r\n/g, "");
    const written = [...names, region.sender.domain, "burst.example"].filter((one) => beside.includes(one));
    expect(written).toEqual([]);
    const tokens = [...secrets].filter(isToken);
    // Redis has seen the tokens: the search looks into the right files.
    expect(tokens.filter((one) => files.join("").includes(asInRedis(one))).length).toBeGreaterThan(500);
    const pushes = (await Promise.all(tokens.map(async (one) => region.apns.pushesTo(one)))).flat();
    const payloads = new Set(pushes.map(({ payload }) => JSON.stringify(payload)));
    expect(pushes.length).toBeGreaterThan(500);
    // The same for everybody.
    expect(payloads.size).toBe(1);
  });

  it("has a front that logs domains at info, and no person or token", async () => {
    const log = await readFile(join(region.logFolder, "front.log"), "utf8");
    const atInfo = log.split("\n").filter((line) => /\s(?:info|warn|error)\t/.test(line));
    expect(atInfo.filter((line) => line.includes(region.sender.domain))).not.toEqual([]);
    expect(atInfo.filter((line) => line.includes("@"))).toEqual([]);
    expect([...secrets].filter((one) => atInfo.join("").includes(one))).toEqual([]);
    // At debug, as it logs here, it names the admin who ran the command.
    expect(log).toContain("admin@");
  });

  it("tells the public and Prometheus of no domain, device or person", async () => {
    const domains = [region.sender.domain, "burst.example"];
    // Whoever may read the log may know the domains: there the search has to find something.
    const log = await readFile(join(region.logFolder, "front.log"), "utf8");
    expect(domains.filter((one) => !log.includes(one))).toEqual([]);
    const hidden = [...domains, ...secrets, ...[...secrets].filter(isToken).map(asInRedis)];
    for (const from of [region.sidecarUrl, region.statusUrl]) {
      for (const path of ["/status.json", "/", "/metrics"]) {
        for (const accept of ["*/*", "application/openmetrics-text"]) {
          const response = await fetch(`${from}${path}`, { headers: { accept } });
          const heard = JSON.stringify([...response.headers]) + (await response.text());
          expect(hidden.filter((one) => heard.toLowerCase().includes(one.toLowerCase()))).toEqual([]);
        }
      }
    }
    const { headers } = await fetch(`${region.statusUrl}/status.json`);
    expect(headers.get("cache-control")).toBe("public, max-age=2");
    expect((await fetch(`${region.statusUrl}/metrics`)).status).toBe(404);
  });

  it("has written no token, sender, body or local part into a log, metric or page", async () => {
    const traces = new Map<string, string>();
    for (const name of await readdir(region.logFolder)) {
      traces.set(name, await readFile(join(region.logFolder, name), "utf8"));
    }
    for (const path of ["/metrics", "/status.json", "/", "/ready"]) {
      traces.set(path, await (await fetch(`${region.sidecarUrl}${path}`)).text());
    }
    const found = [...traces].flatMap(([name, text]) =>
      [...secrets]
        .filter((one) => text.includes(one) || (isToken(one) && text.includes(asInRedis(one))))
        .map((one) => `${one} in ${name}`),
    );
    // The sender's own server knows its people and what it publishes: there the search has to find something.
    expect(found.filter((one) => one.endsWith("in sender.log"))).not.toEqual([]);
    expect(found.filter((one) => !one.endsWith("in sender.log"))).toEqual([]);
    expect([...traces.keys()]).toEqual(
      expect.arrayContaining([
        "front.log",
        "ingress.log",
        "worker-1.log",
        "worker-2.log",
        "redis.log",
        "apns.log",
      ]),
    );
    expect(secrets.size).toBeGreaterThan(510);
  });
});
