import { readFile } from "node:fs/promises";
import { Resolver } from "node:dns/promises";

import {
  anyAddress,
  askSidecars,
  DEFAULT_LIMITS,
  type DrainAnswer,
  type Front,
  type FrontOptions,
  publicAddressesOnly,
  startFront,
  type TlsMaterial,
} from "@reveille/front";
import {
  type Config,
  createMetrics,
  logEvents,
  type Logger,
  runUntil,
  serveReport,
  type Start,
  systemClock,
} from "@reveille/runtime";
import { type PartHealth } from "@reveille/wakeup";

import { LiveConfig, type ReloadAnswer } from "../role/live-config.ts";
import { loadConfig } from "../role/load-config.ts";
import { openLog, secretFrom, stopOf, systemdPart } from "../role/process.ts";
import { secretPath } from "../secrets/secret-path.ts";
import { VERSION } from "../role/version.ts";
import { reasonOf } from "../terminal/reason-of.ts";
import { watchFiles } from "../role/watch-files.ts";

type FrontSection = NonNullable<Config["front"]>;

/** `reveille front`: users' servers outside (s2s), ingresses inside (XEP-0114). */
export async function runFront(file: string): Promise<void> {
  const startedAt = systemClock.now();
  const config = await loadConfig(file);
  const section = sectionOf(config, file);
  const log = openLog("front", config);
  const metrics = createMetrics({ role: "front", version: VERSION, modules: [], clock: systemClock });
  const tellLog = logEvents({ logger: log, clock: systemClock });
  let front: Front | undefined;
  const parts = (): readonly PartHealth[] =>
    front?.health() ?? [{ part: "components", health: { kind: "starting" } }];
  const live = new LiveConfig({
    file,
    rules: undefined,
    first: config,
    adopt: async (next) => {
      front?.adopt(await tlsOf(next.front ?? section));
      log.level = next.log.level;
    },
  });
  const reload = async (): Promise<ReloadAnswer> => {
    const answer = await live.reload();
    if (answer.kind === "reloaded") log.info("configuration and certificates reloaded");
    else log.warn({ because: answer.because }, "configuration refused; nothing has changed");
    return answer;
  };
  const report: Start = async () =>
    serveReport({
      runtimeDir: config.runtimeDir,
      role: "front",
      version: VERSION,
      startedAt,
      parts,
      metrics: metrics.families,
      reload,
      commands: {
        "/drain": async () => drainOf(front, "harmless"),
        "/drain?always": async () => drainOf(front, "always"),
        "/undo-drain": async () => undoDrainOf(front),
      },
    });
  const streams: Start = async () => {
    const started = await startFront({
      ...(await optionsOf(section, log)),
      clock: systemClock,
      observe: (event) => {
        metrics.observe(event);
        tellLog(event);
      },
    });
    front = started;
    metrics.addReading(() => [{ kind: "front", ...started.reading() }]);
    void watchFiles({
      files: () => filesOf(live.current.front ?? section).map((file) => secretPath(file)),
      clock: systemClock,
      signal: watching.signal,
      onChanged: async () => started.adopt(await tlsOf(live.current.front ?? section)),
      onRead: (because) => tellOfCertificates(log, because),
    });
    log.info(started.addresses, "role started");
    return started;
  };
  const watching = new AbortController();
  // From the start, since a SIGHUP that nobody listens to ends a process.
  process.on("SIGHUP", () => void reload());
  try {
    await runUntil(stopOf(config, log), [report, streams, systemdPart(parts, log)]);
  } finally {
    watching.abort();
  }
  log.info("role stopped");
}

const NOT_STARTED = { kind: "refused", because: "the front has not started yet" } as const;

async function drainOf(front: Front | undefined, when: "harmless" | "always"): Promise<DrainAnswer> {
  const answer = front === undefined ? NOT_STARTED : await front.drain(when);
  if (front === undefined || answer.kind === "drained") return answer;
  return { ...answer, because: `${answer.because}; \`reveille drain --always\` drains it all the same` };
}

async function undoDrainOf(front: Front | undefined): Promise<object> {
  if (front === undefined) return NOT_STARTED;
  return front.undoDrain().then(
    () => ({ kind: "listening" }),
    (error: unknown) => ({ kind: "refused", because: reasonOf(error) }),
  );
}

function tellOfCertificates(log: Logger, because: string | undefined): void {
  if (because === undefined) log.info("certificates reloaded, since their files have changed");
  else log.warn({ because }, "changed certificates cannot be used; the old ones stay");
}

/** What a certificate's renewal replaces. */
const filesOf = ({ hostnames, authoritiesFile }: FrontSection): readonly string[] => [
  ...Object.values(hostnames).flatMap(({ certificateFile, keyFile }) => [certificateFile, keyFile]),
  ...(authoritiesFile === undefined ? [] : [authoritiesFile]),
];

function sectionOf({ front }: Config, file: string): FrontSection {
  if (front !== undefined) return front;
  throw new Error(
    `${file} has no section \`front\`: this host has another front, or none; see deploy/config.example.yaml`,
  );
}

async function optionsOf(
  section: FrontSection,
  log: Logger,
): Promise<Omit<FrontOptions, "clock" | "observe">> {
  const { listen, listenDirectTls, component, dialbackSecretFile, dnsServers, privateAddresses, hosts } =
    section;
  const { unsentLength, ...bounds } = section.limits;
  return {
    tls: await tlsOf(section),
    listen: { starttls: listen, direct: listenDirectTls },
    component: {
      ...component.listen,
      secret: await secretFrom(component.secretFile, "front.component.secretFile", log),
    },
    dialbackSecret: await secretFrom(dialbackSecretFile, "front.dialbackSecretFile", log),
    isAllowed: privateAddresses === "allow" ? anyAddress : publicAddressesOnly(),
    ...(dnsServers === undefined ? {} : { resolver: resolverOf(dnsServers) }),
    limits: {
      ...bounds,
      inbound: { ...DEFAULT_LIMITS.inbound, unsentLength },
    },
    ...(hosts === undefined
      ? {}
      : { hosts: (isServed: () => boolean) => askSidecars(hosts, isServed, systemClock) }),
  };
}

function resolverOf(servers: NonNullable<FrontSection["dnsServers"]>): Resolver {
  const resolver = new Resolver({ timeout: 3_000, tries: 2 });
  resolver.setServers(
    servers.map(({ host, port }) => (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`)),
  );
  return resolver;
}

/** Reads certificates and keys, which may have been renewed. */
async function tlsOf({ hostnames, authoritiesFile }: FrontSection): Promise<TlsMaterial> {
  const certificates = await Promise.all(
    Object.entries(hostnames).map(async ([hostname, { certificateFile, keyFile }]) => {
      const [cert, key] = await Promise.all([readPem(certificateFile), readPem(keyFile)]);
      return [hostname, { cert, key }] as const;
    }),
  );
  return {
    certificates: new Map(certificates),
    ...(authoritiesFile === undefined ? {} : { authorities: [await readPem(authoritiesFile)] }),
  };
}

const readPem = async (file: string): Promise<string> =>
  readFile(secretPath(file), "utf8").catch((cause: unknown) => {
    throw new Error(`cannot read ${file}: it must exist, and this role's user must be able to read it`, {
      cause,
    });
  });
