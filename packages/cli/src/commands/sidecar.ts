import { slotsOf } from "@reveille/ingress";
import {
  createMetrics,
  logEvents,
  type Logger,
  type Machine,
  mergeFamilies,
  METRICS_CONTENT_TYPES,
  renderMetrics,
  runUntil,
  serveReload,
  systemClock,
} from "@reveille/runtime";
import { startSidecar } from "@reveille/sidecar";
import { type PartHealth } from "@reveille/wakeup";

import { loadMachine } from "../role/load-config.ts";
import { openLog, secretFrom, stopOf, systemdPart } from "../role/process.ts";
import { answeringReloads, COMMON_SECTIONS } from "../role/start-only.ts";
import { VERSION } from "../role/version.ts";

/** `reveille sidecar`: metrics and health of the roles on this host. */
export async function runSidecar(file: string): Promise<void> {
  const machine = await loadMachine(file);
  const { kind, config } = machine;
  const log = openLog("sidecar", config);
  const metrics = createMetrics({
    role: "sidecar",
    version: VERSION,
    modules: [...(config.modules?.keys() ?? [])],
    clock: systemClock,
  });
  const tellLog = logEvents({ logger: log, clock: systemClock });
  // A SIGHUP that nobody listens to ends a process.
  process.on("SIGHUP", () => log.info("a sidecar reads its configuration at a start only"));
  let parts: () => readonly PartHealth[] = () => [];
  const sections = [...COMMON_SECTIONS, "sidecar", "ingress.components"];
  const reload = await answeringReloads(machine, () => loadMachine(file), sections);
  await runUntil(stopOf(config, log), [
    async () => serveReload({ runtimeDir: config.runtimeDir, reload }),
    async () => {
      const sidecar = await startSidecar({
        ...(await listenersOf(config, log)),
        runtimeDir: config.runtimeDir,
        region: config.region,
        host: config.host,
        version: VERSION,
        clock: systemClock,
        observe: (event) => {
          // Where no publish goes through, not to be ready is no news.
          if (kind === "outside" && event.kind === "readiness-changed") return;
          metrics.observe(event);
          tellLog(event);
        },
        metrics: {
          merge: mergeFamilies,
          render: renderMetrics,
          contentTypes: METRICS_CONTENT_TYPES,
          own: metrics.families,
        },
      });
      parts = () => [sidecar.health()];
      log.info({ address: sidecar.address }, "role started");
      return sidecar;
    },
    systemdPart(() => parts(), log),
  ]);
  log.info("role stopped");
}

async function listenersOf({ sidecar, ingress }: Machine["config"], log: Logger) {
  const { listen, statusListen, metricsTokenFile, fronts } = sidecar;
  const components = ingress?.components ?? [];
  const [own] = components;
  return {
    listen,
    ownComponents: slotsOf(components).flatMap(({ name, isOwn }) => (isOwn ? [name] : [])),
    ...(fronts === undefined || own === undefined ? {} : { fronts: { fronts, domain: own.domain } }),
    ...(statusListen === undefined ? {} : { statusListen }),
    ...(metricsTokenFile === undefined
      ? {}
      : { metricsToken: await secretFrom(metricsTokenFile, "sidecar.metricsTokenFile", log) }),
  };
}
