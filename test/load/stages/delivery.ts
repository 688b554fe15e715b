import { type Bench } from "../bench.ts";
import { checkPushes, startApns } from "../doubles/apns.ts";
import { makeProviderKey } from "../doubles/certificate.ts";
import { type Trial } from "../measure.ts";
import { type Options } from "../options.ts";
import { type Planned } from "../plan.ts";
import { portOf } from "../ports.ts";
import { HEAP_FLAGS } from "../heap-flags.ts";
import { type DeliverySettings } from "./delivery-settings.ts";

/** How long Apple takes to answer where latency is looked at, and where memory is, in milliseconds. */
const APPLE_TAKES = 50;
const SLOW_APPLE_TAKES = 100;

/** A worker's push services, and beside them what the Provider of @parse/node-apn does with the same pushes. */
export function deliveryStage({ apns }: Options): readonly Planned[] {
  const ours = { file: "delivery-process.ts", client: "push-services", apns, nodeOptions: HEAP_FLAGS };
  const nodeApn = { file: "node-apn-process.ts", client: "@parse/node-apn", apns, nodeOptions: [] };
  return [
    ...[ours, nodeApn].flatMap((side): readonly Planned[] => [
      // More in flight, and node-apn loses pushes at the stream limit.
      { load: { mode: "saturation", inFlight: 500 }, setUp: async (bench) => setUp(bench, side, 0) },
      { load: { mode: "rate", rate: 5_000 }, setUp: async (bench) => setUp(bench, side, APPLE_TAKES) },
    ]),
    // 1,000 in flight, for the memory they take.
    { load: { mode: "rate", rate: 10_000 }, setUp: async (bench) => setUp(bench, ours, SLOW_APPLE_TAKES) },
  ];
}

interface Side {
  readonly file: string;
  readonly client: string;
  readonly apns: Options["apns"];
  readonly nodeOptions: readonly string[];
}

async function setUp(bench: Bench, side: Side, appleTakesMs: number): Promise<Trial> {
  const { file, client, apns: kind, nodeOptions } = side;
  const apns = await startApns(bench, kind);
  const port = appleTakesMs === 0 ? apns.port : await delayed(bench, apns.port, appleTakesMs);
  const settings: DeliverySettings = { port, caFile: apns.caFile, keyFile: makeProviderKey(bench.folder) };
  const worker = bench.driver({
    name: "worker",
    file: new URL(file, import.meta.url),
    settings,
    nodeOptions,
  });
  await worker.ready;
  return {
    stage: "delivery",
    driver: worker,
    counted: ["worker"],
    latency: "send to outcome",
    setting: { client, apns: apns.name, appleTakesMs },
    arrived: apns.requests,
    check: async (journal, window) => {
      const { lost, details } = await checkPushes(apns, journal, window);
      return { lost, details };
    },
  };
}

async function delayed(bench: Bench, to: number, delayMs: number): Promise<number> {
  const file = new URL("../doubles/delay-line.ts", import.meta.url);
  const line = bench.driver({ name: "delay line", file, settings: { to, delayMs } });
  return portOf(await line.ready);
}
