import { randomBytes } from "node:crypto";

import { type Bench } from "../bench.ts";
import { type Trial } from "../measure.ts";
import { type Planned } from "../plan.ts";
import { portOf } from "../ports.ts";
import { DOMAIN, MODULE } from "./region.ts";

/** The real ingress on a real component stream; admission and queue say yes without asking Redis. */
export const ingressStage: readonly Planned[] = [
  { load: { mode: "saturation", inFlight: 500 }, setUp: setUpIngress },
  { load: { mode: "rate", rate: 5_000 }, setUp: setUpIngress },
];

async function setUpIngress(bench: Bench): Promise<Trial> {
  const secret = randomBytes(16).toString("hex");
  const sender = bench.driver({
    name: "sender",
    file: new URL("../doubles/sender.ts", import.meta.url),
    settings: { domain: DOMAIN, module: MODULE, secret },
  });
  const port = portOf(await sender.ready);
  const ingress = bench.driver({
    name: "ingress",
    file: new URL("ingress-process.ts", import.meta.url),
    settings: { secret, port },
  });
  await ingress.ready;
  await sender.ask({ kind: "connected" });
  return {
    stage: "ingress",
    driver: sender,
    counted: ["ingress"],
    latency: "publish to reply",
    setting: {},
  };
}
