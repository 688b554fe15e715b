import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { describe, expect, it } from "vitest";

import { FLAGS, readCommandLine } from "./command-line.ts";
import { GOOD_HEADERS, PAYLOAD, request, TOKEN } from "./testing/client.ts";
import { aSigningKey } from "./testing/provider-key.ts";

const MAIN = `${import.meta.dirname}/main.ts`;

interface Process extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly url: string;
  readonly controlPort: number;
}

async function start(...args: readonly string[]): Promise<Process> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const line = await new Promise<string>((resolve) => lines.once("line", resolve));
  const { url, controlPort } = ready(JSON.parse(line));
  return {
    child,
    url,
    controlPort,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

function ready(line: unknown): { readonly url: string; readonly controlPort: number } {
  const { url, controlPort }: Record<string, unknown> = typeof line === "object" ? { ...line } : {};
  if (typeof url !== "string" || typeof controlPort !== "number") throw new Error("not ready");
  return { url, controlPort };
}

const exitCodeOf = async (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => child.once("exit", resolve));

describe("the executable", () => {
  it("serves pushes and control, and stops cleanly on SIGTERM", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "apns-"));
    const caFile = join(folder.path, "ca.pem");
    await using running = await start("--ca-out", caFile);
    const session = connect(running.url, { ca: await readFile(caFile) });
    const push = { ":method": "POST", ":path": `/3/device/${TOKEN}`, ...GOOD_HEADERS };
    expect(await request(session, push, PAYLOAD)).toMatchObject({ status: 200 });
    const stats = await fetch(`http://127.0.0.1:${running.controlPort}/_sim/stats`);
    expect(await stats.json()).toMatchObject({ pushes: 1 });
    session.on("error", () => {});
    running.child.kill("SIGTERM");
    expect(await exitCodeOf(running.child)).toBe(0);
  });

  it("only counts with --throughput", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "apns-"));
    const caFile = join(folder.path, "ca.pem");
    await using running = await start("--throughput", "--ca-out", caFile);
    const session = connect(running.url, { ca: await readFile(caFile) });
    expect(await request(session, { ":method": "GET", ":path": "/" }, "")).toMatchObject({ status: 200 });
    session.destroy();
    const stats = await fetch(`http://127.0.0.1:${running.controlPort}/_sim/stats`);
    expect(await stats.json()).toMatchObject({ pushes: 1 });
  });

  it("is Google's FCM with --fcm", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "apns-"));
    const account = join(folder.path, "account.json");
    await using running = await start("--fcm", "--account-out", account);
    expect(await readFile(account, "utf8")).toContain(`"token_uri": "${running.url}/token"`);
    const control = `http://127.0.0.1:${running.controlPort}/_sim`;
    const rule = (body: object) => fetch(`${control}/rules`, { method: "POST", body: JSON.stringify(body) });
    expect((await rule({ errorCode: "UNAVAILABLE", retryAfter: 5 })).status).toBe(200);
    expect(await (await rule({ errorCode: "GONE" })).text()).toContain(
      "body.errorCode: UNREGISTERED or INVALID_ARGUMENT",
    );
    expect(await (await fetch(`${control}/stats`)).json()).toEqual({ pushes: 0, granted: 0 });
    expect(await (await fetch(`${control}/ledger`)).json()).toEqual([]);
  });

  it("exits with 1 and a reason when it cannot start", async () => {
    const child = spawn(process.execPath, [MAIN, "--port", "many"], { stdio: ["ignore", "ignore", "pipe"] });
    const said = new Promise<string>((resolve) =>
      child.stderr.once("data", (text: Buffer) => resolve(text.toString())),
    );
    expect(await exitCodeOf(child)).toBe(1);
    expect(await said).toBe("push-simulator: --port: not a whole number: many\n");
  });
});

describe("the command line", () => {
  it("reads everything there is", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "apns-"));
    const file = join(folder.path, "file.pem");
    const { publicKey } = aSigningKey().registered;
    await writeFile(file, publicKey);
    const flags = `--host ::1 --port 5 --control-port 6 --control-host ::1 --tls-key ${file} --tls-cert ${file}
      --ca-out ca.pem --name one --name two --environment sandbox --key K:T:${file} --topic a.b --client-ca ${file}
      --unknown-tokens refuse --stream-limit 7 --latency 20-80 --ledger-limit 8 --seed 9 --throughput`;
    expect(await readCommandLine(flags.split(/\s+/))).toEqual({
      kind: "serve",
      mode: "throughput",
      controlPort: 6,
      controlHost: "::1",
      caOut: "ca.pem",
      accountOut: undefined,
      options: {
        host: "::1",
        port: 5,
        tls: { key: publicKey, cert: publicKey },
        names: ["one", "two"],
        environment: "sandbox",
        keys: [{ keyId: "K", teamId: "T", publicKey }],
        topics: ["a.b"],
        clientCa: publicKey,
        unknownTokens: "refuse",
        ledgerLimit: 8,
        seed: 9,
        behaviour: { streamLimit: 7, latency: { kind: "uniform", from: 20, to: 80 } },
      },
    });
  });

  it.each([
    ["50", { kind: "fixed", ms: 50 }],
    ["60~0.5", { kind: "log-normal", median: 60, sigma: 0.5 }],
  ])("takes %s as a latency", async (text, latency) => {
    expect(await readCommandLine(["--latency", text])).toMatchObject({ options: { behaviour: { latency } } });
  });

  it.each([
    ["--latency fast", "--latency: not 50, 20-80 or 60~0.5: fast"],
    ["--environment test", "--environment: not production or sandbox: test"],
    ["--key K", "--key: not KEYID:TEAMID:FILE: K"],
    ["--tls-key k.pem", "--tls-key and --tls-cert go together"],
    ["--fcm --throughput", "--fcm and --throughput do not go together"],
    ["--account-out a.json", "--account-out goes with --fcm"],
    ["--what", "Unknown option '--what'"],
  ])("refuses %s", async (flags, because) => {
    await expect(readCommandLine(flags.split(" "))).rejects.toThrow(because);
  });

  it("explains every flag", async () => {
    const help = await readCommandLine(["--help"]);
    const text = help.kind === "help" ? help.text : "";
    for (const flag of Object.keys(FLAGS)) expect(text + "--help").toContain(`--${flag}`);
  });
});
