import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { cp, mkdir, mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { type ConnectionView, startApnsSimulator, startFcmSimulator } from "@reveille/push-simulator";
import { describe, expect, it } from "vitest";

const run = promisify(execFile);
/** Sources stay as they are; what the package managers fetch and build is kept here from run to run. */
const BUILT = join(import.meta.dirname, "../../.reveille/clients");

interface Client {
  readonly name: string;
  /** Shows that the toolchain is there. */
  readonly tool: readonly string[];
  /** Fetches and builds, in the client's folder. */
  readonly build: readonly (readonly string[])[];
  readonly push: readonly string[];
  /** What the simulator records of its connection. */
  readonly seen: Partial<ConnectionView>;
  /** It knows Apple's host and port only: the simulator has to be there, which needs root. */
  readonly asApple?: true;
}

const APPLE = { host: "127.5.5.5", port: 443, names: ["api.push.apple.com"] };
/** Runs the arguments after the first with that file as /etc/hosts. */
const WITH_HOSTS = [
  "unshare",
  "--mount",
  "sh",
  "-c",
  'mount --bind "$1" /etc/hosts && shift && exec "$@"',
  "sh",
];

const CLIENTS: readonly Client[] = [
  {
    name: "apns2",
    tool: ["go", "version"],
    build: [["go", "build", "-o", "push", "."]],
    push: ["./push"],
    seen: { alpn: true, signature: "ieee-p1363" },
  },
  {
    name: "pushy",
    tool: ["mvn", "--version"],
    build: [
      ["mvn", "--quiet", "--batch-mode", "dependency:copy-dependencies", "-DoutputDirectory=lib"],
      ["javac", "-cp", "lib/*", "Push.java"],
    ],
    push: ["java", "-cp", ".:lib/*", "Push"],
    seen: { alpn: false, signature: "der" },
  },
  {
    name: "aioapns",
    tool: ["python3", "-m", "venv", "--help"],
    build: [
      ["python3", "-m", "venv", "env"],
      ["env/bin/pip", "install", "--quiet", "--requirement", "requirements.txt"],
    ],
    push: ["env/bin/python", "push.py"],
    seen: { alpn: false, signature: "ieee-p1363" },
  },
  {
    name: "a2",
    tool: ["cargo", "--version"],
    build: [["cargo", "build", "--quiet", "--locked"]],
    push: ["./target/debug/push"],
    seen: { alpn: true, signature: "ieee-p1363" },
    asApple: true,
  },
];

/** Copies the client's sources and builds them; false where its toolchain is missing. */
async function built({
  name,
  tool,
  build,
}: Pick<Client, "name" | "tool" | "build">): Promise<string | false> {
  try {
    await command(tool, BUILT, []);
  } catch {
    return false;
  }
  const folder = join(BUILT, name);
  await mkdir(folder, { recursive: true });
  await cp(join(import.meta.dirname, name), folder, { recursive: true });
  for (const step of build) await command(step, folder, []);
  return folder;
}

async function command([program = "", ...args]: readonly string[], cwd: string, more: readonly string[]) {
  await mkdir(cwd, { recursive: true });
  const { stdout } = await run(program, [...args, ...more], { cwd });
  return stdout
    .trim()
    .split("\n")
    .map((line) => line.trim());
}

const GOOD = "ab".repeat(32);
const DEAD = "cd".repeat(32);

describe("the simulator of APNs", () => {
  it.for(CLIENTS)("answers $name as Apple does", async (client, { skip }) => {
    const { asApple = false, tool, seen } = client;
    if (asApple && process.getuid?.() !== 0) return skip("it needs root to be at Apple's address");
    const folder = await built(client);
    if (folder === false) return skip(`${tool[0]} is missing`);
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
    await using simulator = await startApnsSimulator({
      keys: [{ keyId: "KEYID12345", teamId: "TEAMID1234", publicKey: pem }],
      topics: ["org.example.app"],
      ...(asApple ? APPLE : {}),
    });
    simulator.devices.kill(DEAD, "Unregistered");
    await using files = await mkdtempDisposable(join(tmpdir(), "reveille-client-"));
    const [ca, key] = [join(files.path, "ca.pem"), join(files.path, "key.p8")];
    await writeFile(ca, simulator.ca);
    await writeFile(key, privateKey.export({ type: "pkcs8", format: "pem" }));
    const hosts = join(files.path, "hosts");
    await writeFile(hosts, `${APPLE.host} ${APPLE.names[0]}\n`);
    const pushed = asApple ? [...WITH_HOSTS, hosts, ...client.push] : client.push;
    const answers = await command(pushed, folder, [String(simulator.port), ca, key, GOOD, DEAD]);
    expect(answers).toEqual(["200", "410 Unregistered"]);
    expect(simulator.connections[0]).toMatchObject(seen);
    expect(simulator.ledger.processedFor(GOOD)).toHaveLength(1);
  });
});

describe("the simulator of FCM", () => {
  it("answers firebase-admin as Google does", async ({ skip }) => {
    const folder = await built({
      name: "firebase-admin",
      tool: ["npm", "--version"],
      build: [["npm", "install", "--silent", "--no-audit", "--no-fund"]],
    });
    if (folder === false) return skip("npm is missing");
    await using simulator = await startFcmSimulator();
    simulator.kill([DEAD]);
    await using files = await mkdtempDisposable(join(tmpdir(), "reveille-client-"));
    const [ca, account] = [join(files.path, "ca.pem"), join(files.path, "account.json")];
    await writeFile(ca, simulator.ca);
    await writeFile(account, simulator.serviceAccount);
    const pushed = [process.execPath, "push.js", String(simulator.port), ca, account, GOOD, DEAD];
    const dead = "messaging/registration-token-not-registered";
    expect(await command(pushed, folder, [])).toEqual([
      "send 200",
      `send ${dead}`,
      "sendEach 200",
      `sendEach ${dead}`,
    ]);
  });
});
