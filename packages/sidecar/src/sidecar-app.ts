import { hash, timingSafeEqual } from "node:crypto";

import { type Role, ROLES, seconds } from "@reveille/wakeup";
import { fastify, type FastifyInstance } from "fastify";

import { boundConnections } from "./bound-connections.ts";
import { type Liveness } from "./liveness.ts";
import { type MetricsFormat, metricsFormat } from "./metrics-format.ts";
import { type Readiness } from "./readiness.ts";
import { type Status } from "./status/status.ts";
import { PAGE_POLICY } from "./status/status-page.ts";

export interface SidecarAnswers {
  readonly about: { readonly region: string; readonly host: string; readonly version: string };
  /** From memory. */
  readonly readiness: () => Readiness;
  /** From memory. */
  readonly liveness: (role: Role) => Liveness;
  /** From memory. */
  readonly status: () => Status;
  /** The same for people, as HTML. */
  readonly page: () => string;
  /** Takes about a second at most. */
  readonly metrics: (format: MetricsFormat) => Promise<string>;
  readonly contentTypes: Readonly<Record<MetricsFormat, string>>;
  /** Without it anybody who reaches the sidecar may read the metrics. */
  readonly metricsToken: string | undefined;
}

/** Everything a sidecar serves: for operators, HAProxy and Prometheus. */
export function sidecarApp(answers: SidecarAnswers): FastifyInstance {
  const app = statusApp(answers);
  const { about, readiness, liveness, metrics, contentTypes, metricsToken } = answers;
  app.get("/live", (_request, reply) =>
    reply.header("cache-control", "no-store").send({ live: true, ...about }),
  );
  for (const role of ROLES) {
    app.get(`/live/${role}`, (_request, reply) => {
      const now = liveness(role);
      return reply
        .code(now.live ? 200 : 503)
        .header("cache-control", "no-store")
        .send(now);
    });
  }
  app.get("/ready", (_request, reply) => {
    const now = readiness();
    return reply
      .code(now.ready ? 200 : 503)
      .header("cache-control", "no-store")
      .send(now);
  });
  app.get("/metrics", async ({ headers }, reply) => {
    if (metricsToken !== undefined && !isBearer(headers.authorization, metricsToken)) {
      return reply
        .code(401)
        .header("www-authenticate", "Bearer")
        .send({ error: "metrics need a bearer token" });
    }
    const format = metricsFormat(headers.accept);
    const text = await metrics(format);
    return reply
      .headers({ "content-type": contentTypes[format], "cache-control": "no-store", vary: "accept" })
      .send(text);
  });
  return app;
}

/** Nobody here has much to ask: whoever takes longer only keeps others out. */
const REQUEST_WITHIN = seconds(5);
/** For whoever asks and then does not read. Connections at rest between two questions are kept for longer. */
const QUIET_FOR = seconds(10);
/** Plenty for HAProxy, Prometheus and a cache: no crowd takes all file descriptors. */
const MOST_CONNECTIONS = 512;

/** The part that the public may see: the status page and the same as JSON. */
export function statusApp({ status, page }: Pick<SidecarAnswers, "status" | "page">): FastifyInstance {
  // Probes and scrapers keep their connections open; closing does not wait for them.
  const app = fastify({
    logger: false,
    forceCloseConnections: true,
    requestTimeout: REQUEST_WITHIN,
    connectionTimeout: QUIET_FOR,
    bodyLimit: 1_024,
    http: { connectionsCheckingInterval: seconds(1), maxHeaderSize: 8_192 },
  });
  boundConnections(app.server, MOST_CONNECTIONS);
  // A cache before it answers a crowd with one request in two seconds.
  const cache = { "cache-control": "public, max-age=2" };
  app.get("/status.json", (_request, reply) =>
    reply.headers({ ...cache, "access-control-allow-origin": "*" }).send(status()),
  );
  app.get("/", (_request, reply) =>
    reply
      .headers({
        ...cache,
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": PAGE_POLICY,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
      })
      .send(page()),
  );
  return app;
}

/** Compares digests, so that neither length nor content of the token shows in the time it takes. */
function isBearer(authorization: string | undefined, token: string): boolean {
  const digest = (text: string): Buffer => hash("sha256", text, "buffer");
  return timingSafeEqual(digest(authorization ?? ""), digest(`Bearer ${token}`));
}
