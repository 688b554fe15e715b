import { openPushServices } from "@reveille/push-services";
import { createMetrics, systemClock } from "@reveille/runtime";
import { aModule, aToken } from "@reveille/testkit";
import { hours, type Wakeup } from "@reveille/wakeup";

/** Pushes at a steady pace until its parent lets go of it; says how each second ended. */
const [endpoint = "", keyFile = "", caFile = "", rate = ""] = process.argv.slice(2);
const STEPS_PER_SECOND = 50;
const MODULE = aModule();

const metrics = createMetrics({ role: "worker", version: "soak", modules: [MODULE], clock: systemClock });
const services = await openPushServices({
  modules: new Map([
    [
      MODULE,
      {
        kind: "apns",
        apns: {
          topic: "org.example.push",
          environment: "production",
          credential: { kind: "token", keyFile, keyId: "ABC1234567", teamId: "TEAM123456" },
          endpoint: new URL(endpoint),
          caFile,
        },
        alert: { title: "New Message", body: "New Message?" },
        expireAfter: hours(1),
        custom: {},
      },
    ],
  ]),
  clock: systemClock,
  observe: metrics.observe,
});

let sent = 0;
const outcomes: Record<string, number> = {};

async function push(): Promise<void> {
  sent += 1;
  const wakeup: Wakeup = { token: aToken(sent), module: MODULE, urgent: true, receivedAt: systemClock.now() };
  const { kind } = await services.send(wakeup);
  outcomes[kind] = (outcomes[kind] ?? 0) + 1;
}

const stepping = setInterval(() => {
  for (let count = Number(rate) / STEPS_PER_SECOND; count > 0; count -= 1) void push();
}, 1_000 / STEPS_PER_SECOND);

process.once("message", () => void settle());
process.on("disconnect", () => process.exit());

async function settle(): Promise<void> {
  clearInterval(stepping);
  await services[Symbol.asyncDispose]();
  process.send?.({ sent, outcomes });
  process.disconnect();
}
