import { checkArrivals } from "../arrivals.ts";
import { type Bench } from "../bench.ts";
import { startNginx } from "../doubles/apns.ts";
import { makeProviderKey } from "../doubles/certificate.ts";
import { type Trial } from "../measure.ts";
import { type Planned } from "../plan.ts";
import { portOf } from "../ports.ts";
import { type DeliverySettings } from "./delivery-settings.ts";

/** How long Apple takes to answer where latency is looked at, in milliseconds. */
const APPLE_TAKES = 50;

/** A worker's push services, and beside them what the Provider of @parse/node-apn does with the same pushes. */
export const deliveryStage: readonly Planned[] = [
  { load: { mode: "saturation", inFlight: 500 }, setUp: async (bench) => setUpOurs(bench, 0) },
  { load: { mode: "rate", rate: 5_000 }, setUp: async (bench) => setUpOurs(bench, APPLE_TAKES) },
  // More in flight than that and it loses pushes when the stream limit is reached.
  { load: { mode: "saturation", inFlight: 500 }, setUp: async (bench) => setUpNodeApn(bench, 0) },
  { load: { mode: "rate", rate: 5_000 }, setUp: async (bench) => setUpNodeApn(bench, APPLE_TAKES) },
];

const setUpOurs = async (bench: Bench, delayMs: number): Promise<Trial> =>
  setUp(bench, { file: "delivery-process.ts", client: "push-services", delayMs });

const setUpNodeApn = async (bench: Bench, delayMs: number): Promise<Trial> =>
  setUp(bench, { file: "node-apn-process.ts", client: "@parse/node-apn", delayMs });

interface Side {
  readonly file: string;
  readonly client: string;
  readonly delayMs: number;
}

async function setUp(bench: Bench, { file, client, delayMs }: Side): Promise<Trial> {
  const apns = await startNginx(bench);
  const port = delayMs === 0 ? apns.port : await delayed(bench, apns.port, delayMs);
  const settings: DeliverySettings = { port, caFile: apns.caFile, keyFile: makeProviderKey(bench.folder) };
  const worker = bench.driver({ name: "worker", file: new URL(file, import.meta.url), settings });
  await worker.ready;
  return {
    stage: "delivery",
    driver: worker,
    counted: ["worker"],
    latency: "send to outcome",
    setting: { client, apns: apns.name, appleTakesMs: delayMs },
    arrived: apns.requests,
    check: async (journal, window) => {
      const { lost, details } = checkArrivals(journal, await apns.arrivals(), window);
      return { lost, details };
    },
  };
}

async function delayed(bench: Bench, to: number, delayMs: number): Promise<number> {
  const file = new URL("../doubles/delay-line.ts", import.meta.url);
  const line = bench.driver({ name: "delay line", file, settings: { to, delayMs } });
  return portOf(await line.ready);
}
