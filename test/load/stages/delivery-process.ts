import { openPushServices } from "@reveille/push-services";
import { createMetrics, systemClock } from "@reveille/runtime";
import { hours } from "@reveille/wakeup";

import { ACCEPTED } from "../load-loop.ts";
import { loadClock, ServedLoop, serveDriver, settingsOf } from "../serve-driver.ts";
import { tokenOf } from "../tokens.ts";
import { isDeliverySettings } from "./delivery-settings.ts";
import { APPLE, MODULE } from "./region.ts";

const { port, caFile, keyFile } = settingsOf(isDeliverySettings);
const metrics = createMetrics({ role: "worker", version: "bench", modules: [MODULE], clock: systemClock });

const pushServices = await openPushServices({
  modules: new Map([
    [
      MODULE,
      {
        kind: "apns",
        apns: {
          topic: APPLE.topic,
          environment: "production",
          credential: { kind: "token", keyFile, keyId: APPLE.keyId, teamId: APPLE.teamId },
          endpoint: new URL(`https://127.0.0.1:${port}`),
          caFile,
        },
        alert: { title: "New Message", body: "New Message?" },
        sound: "default",
        expireAfter: hours(28 * 24),
        custom: {},
      },
    ],
  ]),
  clock: systemClock,
  observe: metrics.observe,
});

const served = new ServedLoop((first, count) => {
  for (let index = first; index < first + count; index += 1) void push(index);
});

async function push(index: number): Promise<void> {
  const wakeup = { token: tokenOf(index), module: MODULE, urgent: true, receivedAt: loadClock.now() };
  const outcome = await pushServices.send(wakeup);
  const answer = outcome.kind === "delivered" ? ACCEPTED : `${outcome.kind}: ${outcome.reason}`;
  served.loop.answered(index, answer, loadClock.monotonic());
  served.pump();
}

serveDriver({}, served.answer, async () => pushServices[Symbol.asyncDispose]());
