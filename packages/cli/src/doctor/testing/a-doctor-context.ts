import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { chmod, mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Config, parseConfig, systemClock } from "@reveille/runtime";
import { ask, freePort, Program } from "@reveille/testkit";
import { seconds } from "@reveille/wakeup";

import { type DoctorContext } from "../doctor-context.ts";

/** A host's configuration and its secrets in a folder of their own. */
export interface TestHost extends AsyncDisposable {
  readonly folder: string;
  readonly file: (name: string) => string;
  readonly configFile: string;
  readonly config: Config;
  readonly publicKey: string;
}

export interface TestHostOptions {
  readonly redis?: string;
  readonly service?: string;
  readonly domain?: string;
  readonly connections?: number;
  readonly secret?: string;
  readonly endpoint?: string;
  readonly apns?: string;
}

/** Name only what the test is about; the rest is in order, as far as it needs nobody else. */
export async function aHost(options: TestHostOptions = {}): Promise<TestHost> {
  const folder = await mkdtempDisposable(join(tmpdir(), "reveille-doctor-"));
  const file = (name: string): string => join(folder.path, name);
  const key = generateKeyPairSync("ec", {
    namedCurve: "prime256v1",
    privateKeyEncoding: { format: "pem", type: "pkcs8" },
    publicKeyEncoding: { format: "pem", type: "spki" },
  });
  const secrets = { "component.secret": options.secret ?? "secret", "key.p8": key.privateKey };
  for (const [name, text] of Object.entries(secrets)) {
    await writeFile(file(name), text);
    await chmod(file(name), 0o600);
  }
  const text = `
region: eu
host: s1.eu.push.example
runtimeDir: ${file("run")}
redis: { ${options.redis ?? 'url: "redis://127.0.0.1:1"'} }
ingress:
  components:
    - service: ${options.service ?? "xmpp://127.0.0.1:1"}
      domain: ${options.domain ?? "eu.push.example"}
      secretFile: ${file("component.secret")}
      connections: ${options.connections ?? 1}
modules:
  monalProdiOS:
    apns:
      topic: G7YU7X7KRJ.SworIM
      environment: production
      ${options.apns ?? `{keyFile: ${file("key.p8")}, keyId: ABC1234567, teamId: TEAM123456}`.slice(1, -1).replaceAll(", ", "\n      ")}
      endpoint: ${options.endpoint ?? "https://127.0.0.1:1"}
      caFile: ${file("apns-ca.pem")}
`;
  await writeFile(file("reveille.yaml"), text);
  await writeFile(file("apns-ca.pem"), "");
  return {
    folder: folder.path,
    file,
    configFile: file("reveille.yaml"),
    config: parseConfig(text, "reveille.yaml"),
    publicKey: key.publicKey,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

export const aDoctorContext = (config: Config, parts: Partial<DoctorContext> = {}): DoctorContext => ({
  config,
  clock: systemClock,
  machine: { addresses: () => [], units: async () => [], setting: async () => undefined },
  roles: [],
  dnsServers: [],
  authorities: undefined,
  peers: [],
  timeout: seconds(10),
  ...parts,
});

/** A private DNS with these records, in the words of dnsmasq(8); nothing else exists for it. */
export async function aDns(records: readonly string[]): Promise<{ address: string } & AsyncDisposable> {
  const port = await freePort();
  const program = await Program.start({
    name: "dns",
    command: "dnsmasq",
    args: [
      "--no-daemon",
      "--conf-file=/dev/null",
      "--no-resolv",
      "--no-hosts",
      "--pid-file=",
      "--listen-address=127.0.0.1",
      "--bind-interfaces",
      `--port=${port}`,
      "--local=/example/",
      ...records,
    ],
    debianPackage: "dnsmasq-base",
    ready: async () => ask({ kind: "dns-query", at: { port } }),
  });
  return { address: `127.0.0.1:${port}`, [Symbol.asyncDispose]: () => program.stop() };
}

/** A certificate for that name with its key, as PEM, signed by itself. `purposes`: extended key usage. */
export async function anIdentity(folder: string, name: string, purposes: string) {
  const [key, cert] = [join(folder, `${name}-${purposes}.key`), join(folder, `${name}-${purposes}.crt`)];
  const args = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj /CN=${name} -addext subjectAltName=DNS:${name} -addext extendedKeyUsage=${purposes} -keyout ${key} -out ${cert}`;
  execFileSync("openssl", args.split(" "), { stdio: "ignore" });
  return { key: await readFile(key, "utf8"), cert: await readFile(cert, "utf8") };
}

/** A Sentinel that watches a primary of that name, which is not there, at that port. */
export async function aSentinel(name: string, primary = 1): Promise<{ address: string } & AsyncDisposable> {
  const folder = await mkdtempDisposable(join(tmpdir(), "reveille-sentinel-"));
  const port = await freePort();
  const file = join(folder.path, "sentinel.conf");
  await writeFile(
    file,
    `port ${port}\nbind 127.0.0.1\ndir ${folder.path}\nsentinel monitor ${name} 127.0.0.1 ${primary} 1\n`,
  );
  const program = await Program.start({
    name: "sentinel",
    command: "redis-server",
    args: [file, "--sentinel"],
    debianPackage: "redis-server",
    ready: async () => ask({ kind: "redis-ping", at: { port } }),
  });
  return {
    address: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      await program.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}
