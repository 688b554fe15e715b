import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { type Bench } from "../bench.ts";
import { type ApnsEnd, checkPushes, startApns } from "../doubles/apns.ts";
import { makeProviderKey } from "../doubles/certificate.ts";
import { startRedis } from "../doubles/redis.ts";
import { type Trial } from "../measure.ts";
import { type Appendfsync, type Options } from "../options.ts";
import { type Planned } from "../plan.ts";
import { freePort, portOf } from "../ports.ts";
import { type StageName } from "../result.ts";
import { APPLE, DOMAIN, MODULE, REGION } from "./region.ts";

const WITHOUT_LIMIT = { rate: "100000/s", burst: 1_000_000 };

const EXECUTABLE = fileURLToPath(new URL("../../../packages/cli/src/main.ts", import.meta.url));

/** A whole host but its front: the real roles, their configuration and Redis, between sender and far end. */
export function endToEndStage(options: Options): readonly Planned[] {
  const region: RegionOptions = {
    ...options,
    stage: "end-to-end",
    appendfsync: options.appendfsync ?? "everysec",
  };
  const setUp = async (bench: Bench): Promise<Trial> => setUpRegion(bench, region);
  return [
    { load: { mode: "saturation", inFlight: 1_000 }, setUp },
    { load: { mode: "half" }, setUp },
  ];
}

/** The same host at the rates at which most regions live. */
export function lightLoadStage(options: Options): readonly Planned[] {
  const policies: readonly Appendfsync[] =
    options.appendfsync === undefined ? ["everysec", "always"] : [options.appendfsync];
  return policies.flatMap((appendfsync) => {
    const setUp = async (bench: Bench): Promise<Trial> =>
      setUpRegion(bench, { ...options, stage: "light-load", appendfsync });
    return [100, 300, 1_000].map((rate) => ({ load: { mode: "rate", rate }, setUp }) as const);
  });
}

/** All roles of a host, and nothing to do. */
export function idleStage(options: Options): readonly Planned[] {
  const setUp = async (bench: Bench): Promise<Trial> =>
    setUpRegion(bench, { ...options, stage: "idle", appendfsync: options.appendfsync ?? "everysec" });
  return [{ load: { mode: "idle" }, setUp }];
}

interface RegionOptions extends Pick<Options, "workers" | "apns"> {
  readonly stage: StageName;
  readonly appendfsync: Appendfsync;
}

async function setUpRegion(
  bench: Bench,
  { stage, workers, apns: kind, appendfsync }: RegionOptions,
): Promise<Trial> {
  const secret = randomBytes(16).toString("hex");
  const apns = await startApns(bench, kind);
  const redisUrl = await startRedis(bench, appendfsync);
  const sender = bench.driver({
    name: "sender",
    file: new URL("../doubles/sender.ts", import.meta.url),
    settings: { domain: DOMAIN, module: MODULE, secret },
  });
  const frontPort = portOf(await sender.ready);
  const config = await writeConfig(bench, { apns, redisUrl, frontPort, secret });
  const names = Array.from({ length: workers }, (_, index) =>
    workers === 1 ? "worker" : `worker ${index + 1}`,
  );
  for (const name of names) bench.node(name, [EXECUTABLE, "worker", "--config", config]);
  const sidecars = stage === "idle" ? ["sidecar"] : [];
  for (const name of sidecars) bench.node(name, [EXECUTABLE, "sidecar", "--config", config]);
  const ingress = bench.node("ingress", [EXECUTABLE, "ingress", "--config", config]);
  await Promise.race([sender.ask({ kind: "connected" }), ingress.failed]);
  return {
    stage,
    driver: sender,
    counted: ["ingress", "redis", ...names, ...sidecars],
    latency: apns.arrivals === undefined ? "publish to reply" : "publish to APNs answer",
    setting: { workers, apns: apns.name, redis: `TCP, AOF ${appendfsync}` },
    arrived: apns.requests,
    check: async (journal, window) => checkPushes(apns, journal, window),
  };
}

interface ConfigParts {
  readonly apns: ApnsEnd;
  readonly redisUrl: string;
  readonly frontPort: number;
  readonly secret: string;
}

async function writeConfig({ folder }: Bench, parts: ConfigParts): Promise<string> {
  const secretFile = join(folder, "component.secret");
  await writeFile(secretFile, parts.secret, { mode: 0o600 });
  const runtimeDir = join(folder, "run");
  await mkdir(runtimeDir, { mode: 0o700 });
  const apns = {
    topic: APPLE.topic,
    environment: "production",
    keyFile: makeProviderKey(folder),
    keyId: APPLE.keyId,
    teamId: APPLE.teamId,
    endpoint: `https://127.0.0.1:${parts.apns.port}`,
    caFile: parts.apns.caFile,
  };
  const component = { service: `xmpp://127.0.0.1:${parts.frontPort}`, domain: DOMAIN, secretFile };
  const config = {
    region: REGION,
    host: `s1.${DOMAIN}`,
    runtimeDir,
    redis: { url: parts.redisUrl },
    // One domain, and devices that were never seen before: far more than any server has.
    ingress: { components: [component], domainLimit: WITHOUT_LIMIT },
    admission: { newDevices: { perDomain: WITHOUT_LIMIT, inAll: WITHOUT_LIMIT } },
    modules: { [MODULE]: { apns } },
    sidecar: { listen: `127.0.0.1:${await freePort()}` },
  };
  const file = join(folder, "reveille.yaml");
  // JSON is YAML.
  await writeFile(file, JSON.stringify(config, undefined, 2));
  return file;
}
