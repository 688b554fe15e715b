import { generateKeyPairSync } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type ApnsSimulator, startApnsSimulator } from "@reveille/push-simulator";
import {
  freePort,
  openServerDouble,
  Program,
  readinessOf,
  type ServerDouble,
  startProsody,
  type TestProsody,
} from "@reveille/testkit";

import { Service } from "./service.ts";

const WITHOUT_LIMIT = { rate: "100000/s", burst: 1_000_000 };

const CLI = join(import.meta.dirname, "../../packages/cli/src/main.ts");
const OUTPUT = join(import.meta.dirname, "../output/durability");
const SENDER = "server.localhost";

/** The one module, and the region's name in Redis. */
export const MODULE = "monalProdiOS";
export const REGION = "eu";

export interface PushPathOptions {
  /** Of the test; its logs go to a folder of that name. */
  readonly name: string;
  /** As in the configuration. */
  readonly redis: { readonly url: string } | { readonly sentinels: readonly string[]; readonly name: string };
  /** Another way to the same Redis, for ingresses alone. */
  readonly ingressRedis?: { readonly url: string };
  /** Of Node, for ingresses alone. */
  readonly ingressFlags?: readonly string[];
  readonly windowMs: number;
  readonly ingresses: number;
  readonly workers: number;
  /** Also run the first host's sidecar. */
  readonly sidecar?: boolean;
}

/** Everything between a user's server and Apple but Redis: the roles in processes of their own, as in production. */
export interface PushPath extends AsyncDisposable {
  readonly ingresses: readonly Service[];
  readonly workers: readonly Service[];
  readonly sidecars: readonly Service[];
  /** Where publishes go, one domain per ingress. */
  readonly domains: readonly string[];
  readonly server: ServerDouble;
  /** Folder of the logs, by name of the process: `ingress-1.log`. */
  readonly logs: string;
  /** In this process, so that its times and the sender's are of one clock. */
  readonly apns: ApnsSimulator;
}

/** Resolves when all of it works; its Redis must run already. */
export async function startPushPath(options: PushPathOptions): Promise<PushPath> {
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "reveille-durability-"));
  starting.defer(async () => rm(folder, { recursive: true, force: true }));
  const domains = Array.from({ length: options.ingresses }, (_, index) => `push-${index + 1}.localhost`);
  const front = starting.use(await startProsody({ components: [...domains, SENDER], logLevel: "info" }));
  // Long enough that a process that is killed has pushes on their way.
  const behaviour = { latency: { kind: "uniform", from: 5, to: 50 } } as const;
  const apns = starting.use(await startApnsSimulator({ ledgerLimit: 5_000_000, behaviour }));
  const parts = { folder, front, apns, domains, options };
  const configs = await writeConfigs(parts, "host", options.redis);
  const ingressConfigs = await writeConfigs(parts, "ingress", options.ingressRedis ?? options.redis);

  const logs = join(OUTPUT, options.name.replaceAll(" ", "-"));
  await rm(logs, { recursive: true, force: true });
  await mkdir(logs, { recursive: true });
  const ingresses = await startAll({
    role: "ingress",
    count: options.ingresses,
    configs: ingressConfigs,
    logs,
    flags: options.ingressFlags ?? [],
  });
  for (const ingress of ingresses) starting.use(ingress);
  const workers = await startAll({ role: "worker", count: options.workers, configs, logs });
  for (const worker of workers) starting.use(worker);
  const sidecars = await startAll({
    role: "sidecar",
    count: options.sidecar === true ? 1 : 0,
    configs,
    logs,
  });
  for (const sidecar of sidecars) starting.use(sidecar);
  const server = await openServerDouble({ port: front.port, domain: SENDER, secret: front.secret });
  starting.use(server);
  const started = starting.move();
  return {
    ingresses,
    workers,
    sidecars,
    domains,
    server,
    logs,
    apns,
    [Symbol.asyncDispose]: async () => started.disposeAsync(),
  };
}

interface Roles {
  readonly role: "ingress" | "worker" | "sidecar";
  readonly count: number;
  /** The first process reads the first one, and so on in turn. */
  readonly configs: readonly string[];
  readonly logs: string;
  readonly flags?: readonly string[];
}

/** Starts all, or none. */
async function startAll({ role, count, configs, logs, flags = [] }: Roles): Promise<readonly Service[]> {
  const settled = await Promise.allSettled(
    Array.from({ length: count }, async (_, index) => {
      const name = `${role}-${index + 1}`;
      const config = configs[index % configs.length] ?? "";
      return Service.start(name, async () =>
        Program.start({
          name,
          command: process.execPath,
          args: [...flags, CLI, role, "--config", config],
          logFile: join(logs, `${name}.log`),
          ready: await readinessOf(role, config),
        }),
      );
    }),
  );
  const started = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failed = settled.find((one) => one.status === "rejected");
  if (failed === undefined) return started;
  await Promise.all(started.map(async (service) => service[Symbol.asyncDispose]()));
  throw failed.reason;
}

interface ConfigParts {
  readonly folder: string;
  readonly front: TestProsody;
  readonly apns: ApnsSimulator;
  readonly domains: readonly string[];
  readonly options: PushPathOptions;
}

/** One file per ingress; they differ in the domain it serves. */
async function writeConfigs(
  { folder, front, apns, domains, options }: ConfigParts,
  name: string,
  redis: PushPathOptions["redis"],
): Promise<readonly string[]> {
  const [secretFile, keyFile, caFile] = ["component.secret", "AuthKey.p8", "ca.pem"].map((name) =>
    join(folder, name),
  );
  const port = await freePort();
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await Promise.all([
    mkdir(join(folder, "run"), { mode: 0o700, recursive: true }),
    writeFile(`${secretFile}`, front.secret, { mode: 0o600 }),
    writeFile(`${keyFile}`, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 }),
    writeFile(`${caFile}`, apns.ca),
  ]);
  const credential = { keyFile, keyId: "ABC1234567", teamId: "TEAM123456" };
  const account = { topic: "org.example.push", environment: "production", endpoint: apns.url, caFile };
  return Promise.all(
    domains.map(async (domain, index) => {
      const config = {
        region: REGION,
        host: domain,
        runtimeDir: join(folder, "run"),
        redis,
        // One domain, and devices that were never seen before: far more than any server has.
        ingress: { components: [{ service: front.service, domain, secretFile }], domainLimit: WITHOUT_LIMIT },
        admission: {
          window: `${options.windowMs}ms`,
          newDevices: { perDomain: WITHOUT_LIMIT, inAll: WITHOUT_LIMIT },
        },
        modules: { [MODULE]: { apns: { ...account, ...credential } } },
        sidecar: { listen: `127.0.0.1:${port}` },
      };
      const file = join(folder, `${name}-${index + 1}.yaml`);
      // JSON is YAML (YAML 1.2 §1.3).
      await writeFile(file, JSON.stringify(config));
      return file;
    }),
  );
}
