import { execFile, execFileSync, spawn } from "node:child_process";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

import { parseConfig, systemClock } from "@reveille/runtime";
import { startRedis } from "@reveille/testkit";
import { hours, later } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { checkComponents } from "./component.ts";
import { checkCredentials } from "./credentials.ts";
import { checkFileLimits } from "./file-limits.ts";
import { type Finding } from "./finding.ts";
import { aHost, aDoctorContext, type TestHost } from "./testing/a-doctor-context.ts";
import { listening } from "./testing/listening.ts";

const MAIN = join(import.meta.dirname, "../main.ts");

const containing = (text: string): unknown => expect.stringContaining(text);
const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);
const A_NUMBER: unknown = expect.any(Number);

const told = (findings: readonly Finding[]): readonly string[] =>
  findings.map(({ kind, text }) => `${kind}: ${text}`);

describe("the doctor, shown a certificate for APNs", () => {
  it("counts its days, says that it has expired, and that everybody can read it", async () => {
    await using host = await aHost({ apns: "certFile: /CERT\n      certKeyFile: /KEY" });
    const [cert, key] = [host.file("apns.pem"), host.file("apns.key")];
    const request = `req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=org.example.app -keyout ${key} -out ${cert}`;
    execFileSync("openssl", request.split(" "), { stdio: "ignore" });
    await chmod(key, 0o600);
    const text = (await readConfig(host)).replace("/CERT", cert).replace("/KEY", key);
    const look = async (days: number) => {
      const clock = { ...systemClock, now: () => later(systemClock.now(), hours(24 * days)) };
      return told(await checkCredentials(aDoctorContext(parseConfig(text, "reveille.yaml"), { clock })));
    };
    expect(await look(0)).toEqual([matching(/^ok: a certificate, valid for (?:29|30) days$/)]);
    expect(await look(20)).toEqual([matching(/^warn: expires in (?:9|10) days$/)]);
    expect(await look(31)).toEqual(["fail: has expired: Apple refuses every push"]);
    await chmod(key, 0o644);
    expect(await look(0)).toEqual([`warn: every user of this machine can read ${key}`]);
  });
});

const readConfig = async (host: TestHost): Promise<string> => readFile(host.configFile, "utf8");

describe("the doctor, at a front that takes the component and loses its stanzas", () => {
  it("says that the ping to ourselves did not come back", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.on("data", (data) => {
        const text = data.toString();
        const [, id] = /<iq[^>]* id='([^']+)'/.exec(text) ?? [];
        if (text.includes("<stream:stream")) {
          socket.write(
            "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='1' from='eu.push.example'>",
          );
        }
        if (text.includes("<handshake")) socket.write("<handshake/>");
        if (id !== undefined) {
          socket.write(
            `<iq type='error' id='${id}' from='eu.push.example' to='eu.push.example/health'><error type='cancel'/></iq>`,
          );
        }
      });
    });
    await using front = await listening(server);
    await using host = await aHost({ service: `xmpp://127.0.0.1:${front.port}` });
    expect(await checkComponents(aDoctorContext(host.config))).toMatchObject([
      {
        kind: "fail",
        text: containing("did not come back"),
        cure: containing("front's log"),
      },
    ]);
  });
});

describe("the doctor, shown a role that may open few files", () => {
  it("says so, and how to raise the limit", async () => {
    await using host = await aHost();
    const role = spawn("sh", ["-c", "ulimit -n 512; exec sleep 60"], { stdio: "ignore" });
    await new Promise((resolve) => role.once("spawn", resolve));
    try {
      const answer = { kind: "answered", status: 200, body: {} } as const;
      const look = async () =>
        checkFileLimits(
          aDoctorContext(host.config, { roles: [{ role: "ingress", pid: role.pid ?? 0, answer }] }),
        );
      await expect.poll(look).toMatchObject([
        {
          kind: "fail",
          item: `open files of ingress ${role.pid}`,
          cure: containing("LimitNOFILE"),
        },
      ]);
    } finally {
      role.kill();
    }
  });
});

describe("reveille doctor, run by hand", () => {
  const run = async (...args: readonly string[]) =>
    new Promise<{ code: number | null; stdout: string }>((resolve) => {
      const child = execFile(process.execPath, [MAIN, "doctor", ...args], (_error, stdout) =>
        resolve({ code: child.exitCode, stdout }),
      );
    });

  it("names each mistake of the configuration with its line and its cure, and looks at nothing else", async () => {
    await using host = await aHost();
    await writeFile(host.configFile, (await readConfig(host)).replace("region: eu", "regoin: eu"));
    const { code, stdout } = await run("--config", host.configFile);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^FAIL {2}\S+reveille\.yaml:\d+: regoin: is no key of the configuration\n +→ did you mean `region`\?/m,
    );
    expect(stdout).toContain("nothing else is looked at until it can be read");
    expect(stdout).not.toContain("redis:");
  });

  it("ends as soon as it has said that Redis and Sentinels refuse", { timeout: 60_000 }, async () => {
    for (const redis of ['url: "redis://127.0.0.1:1"', 'sentinels: ["127.0.0.1:1"], name: eu']) {
      await using host = await aHost({ redis });
      const child = spawn(process.execPath, [MAIN, "doctor", "--config", host.configFile]);
      let [said, saidAt] = ["", 0];
      child.stdout.on("data", (data) => ([said, saidAt] = [said + String(data), performance.now()]));
      await new Promise((resolve) => child.once("close", resolve));
      // A connection that is left to end by itself takes two seconds.
      expect(performance.now() - saidAt).toBeLessThan(1_900);
      expect(said).toMatch(/^FAIL {2}redis: no Redis at .*: connect ECONNREFUSED 127\.0\.0\.1:1$/m);
    }
  });

  it("tells programs the same, and names a role that does not answer", { timeout: 60_000 }, async () => {
    await using redis = await startRedis();
    await using host = await aHost({ redis: `url: "redis+unix://${redis.path}"` });
    await mkdir(host.file("run"));
    const mute = createServer((socket) => void socket.on("error", () => undefined).resume());
    await using opened = new AsyncDisposableStack();
    opened.use(await listening(mute, host.file(`run/worker-${process.pid}.sock`)));
    const { code, stdout } = await run("--config", host.configFile, "--dns", "127.0.0.1:1", "--json");
    const report: unknown = JSON.parse(stdout);
    expect(code).toBe(1);
    expect(report).toMatchObject({ healthy: false, summary: { fail: A_NUMBER } });
    expect(stdout).toContain(
      `"item":"worker ${process.pid}","text":"its socket is there, but no answer within 2 s"`,
    );
  });
});
