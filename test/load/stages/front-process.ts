import { readFileSync } from "node:fs";

import { anyAddress, startFront } from "@reveille/front";

import { loadClock, serveDriver, settingsOf } from "../serve-driver.ts";

/** A front of ours with one hostname. */
interface Settings {
  readonly hostname: string;
  readonly secret: string;
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
  readonly direct: number;
  readonly component: number;
}

const isSettings = (value: unknown): value is Settings =>
  typeof value === "object" && value !== null && "hostname" in value && "authority" in value;

const { hostname, secret, certificate, key, authority, direct, component } = settingsOf(isSettings);
const read = (file: string): string => readFileSync(file, "utf8");
const front = await startFront({
  tls: {
    certificates: new Map([[hostname, { cert: read(certificate), key: read(key) }]]),
    authorities: [read(authority)],
  },
  listen: { starttls: [], direct: [{ host: "127.0.0.1", port: direct }] },
  component: { host: "127.0.0.1", port: component, secret },
  dialbackSecret: "of the bench",
  clock: loadClock,
  observe: () => undefined,
  isAllowed: anyAddress,
  limits: { connectionsOfAddress: 10_000 },
});

serveDriver(
  {},
  () => undefined,
  async () => front[Symbol.asyncDispose](),
);
