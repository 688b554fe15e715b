import { startIngress } from "@reveille/ingress";
import { createMetrics, systemClock } from "@reveille/runtime";
import { type Verdict, type Wakeup } from "@reveille/wakeup";

import { serveDriver, settingsOf } from "../serve-driver.ts";
import { DOMAIN, MODULE } from "./region.ts";

interface Settings {
  readonly port: number;
  readonly secret: string;
}

const isSettings = (value: unknown): value is Settings =>
  typeof value === "object" && value !== null && "port" in value && "secret" in value;

const { port, secret } = settingsOf(isSettings);
const NOW: Verdict = { kind: "now" };
const known = new Set([MODULE]);
const metrics = createMetrics({ role: "ingress", version: "bench", modules: [MODULE], clock: systemClock });

const ingress = await startIngress({
  components: [{ service: `xmpp://127.0.0.1:${port}`, domain: DOMAIN, secret }],
  modules: { known },
  // Stand-ins that say yes at once: what Redis costs is measured by another stage.
  admission: { decide: async (wakeups: readonly Wakeup[]) => Promise.resolve(wakeups.map(() => NOW)) },
  queue: { add: async () => Promise.resolve() },
  clock: systemClock,
  observe: metrics.observe,
  version: "bench",
});

serveDriver(
  {},
  () => undefined,
  async () => ingress[Symbol.asyncDispose](),
);
