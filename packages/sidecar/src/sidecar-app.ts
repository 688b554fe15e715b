import { fastify, type FastifyInstance } from "fastify";

import { type MetricsFormat, metricsFormat } from "./metrics-format.ts";
import { type Readiness } from "./readiness.ts";

export interface SidecarAnswers {
  readonly about: { readonly region: string; readonly host: string; readonly version: string };
  /** From memory. */
  readonly readiness: () => Readiness;
  /** Takes about a second at most. */
  readonly metrics: (format: MetricsFormat) => Promise<string>;
  readonly contentTypes: Readonly<Record<MetricsFormat, string>>;
}

/** `/live`, `/ready` and `/metrics`. */
export function sidecarApp({ about, readiness, metrics, contentTypes }: SidecarAnswers): FastifyInstance {
  // Probes and scrapers keep their connections open; closing does not wait for them.
  const app = fastify({ logger: false, forceCloseConnections: true });
  app.addHook("onSend", async (_request, reply) => void reply.header("cache-control", "no-store"));
  app.get("/live", () => ({ live: true, ...about }));
  app.get("/ready", async (_request, reply) => {
    const now = readiness();
    return reply.code(now.ready ? 200 : 503).send(now);
  });
  app.get("/metrics", async ({ headers }, reply) => {
    const format = metricsFormat(headers.accept);
    const text = await metrics(format);
    return reply.header("content-type", contentTypes[format]).header("vary", "accept").send(text);
  });
  return app;
}
