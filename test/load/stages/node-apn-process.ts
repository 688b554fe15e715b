import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { ACCEPTED } from "../load-loop.ts";
import { loadClock, ServedLoop, serveDriver, settingsOf } from "../serve-driver.ts";
import { tokenOf } from "../tokens.ts";
import { type DeliverySettings, isDeliverySettings } from "./delivery-settings.ts";
import { APPLE } from "./region.ts";

/** What we use of @parse/node-apn, by its README. */
interface NodeApn {
  readonly Provider: new (options: object) => {
    readonly send: (notification: object, token: string) => Promise<{ readonly failed: readonly Failure[] }>;
  };
  readonly Notification: new (properties: object) => object;
}

interface Failure {
  readonly status?: number | string;
  readonly response?: { readonly reason?: string };
  readonly error?: Error;
}

const isNodeApn = (value: unknown): value is NodeApn =>
  typeof value === "object" && value !== null && "Provider" in value && "Notification" in value;

// The one that push-services has pinned.
const nodeApn: unknown = createRequire(import.meta.resolve("@reveille/push-services"))("@parse/node-apn");
if (!isNodeApn(nodeApn)) throw new Error("@parse/node-apn has no Provider");
const { Notification } = nodeApn;
const settings: DeliverySettings = settingsOf(isDeliverySettings);

const provider = new nodeApn.Provider({
  token: { key: settings.keyFile, keyId: APPLE.keyId, teamId: APPLE.teamId },
  address: "127.0.0.1",
  port: settings.port,
  ca: [readFileSync(settings.caFile)],
  connectionRetryLimit: 0,
});

const served = new ServedLoop((first, count) => {
  for (let index = first; index < first + count; index += 1) void push(index);
});

async function push(index: number): Promise<void> {
  const notification = new Notification({
    topic: APPLE.topic,
    pushType: "alert",
    priority: 10,
    expiry: Math.floor(Date.now() / 1000) + 28 * 24 * 3600,
    alert: { title: "New Message", body: "New Message?" },
    sound: "default",
    mutableContent: true,
  });
  const { failed } = await provider.send(notification, tokenOf(index));
  const [failure] = failed;
  served.loop.answered(index, failure === undefined ? ACCEPTED : reasonOf(failure), loadClock.monotonic());
  served.pump();
}

const reasonOf = ({ status, response, error }: Failure): string =>
  response?.reason ?? error?.message ?? `status ${status}`;

serveDriver({}, served.answer, async () => Promise.resolve());
