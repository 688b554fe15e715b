import { type Bench } from "../bench.ts";
import { arrivalsOf, markOf } from "../driver.ts";
import { checkArrivals } from "../arrivals.ts";
import { startRedis } from "../doubles/redis.ts";
import { type Trial } from "../measure.ts";
import { type Options } from "../options.ts";
import { type Planned } from "../plan.ts";
import { type Filling, fillingOf } from "./filling.ts";

/** Admission's decision and the queue's way through Redis, to a worker that is done at once. */
export function admissionQueueStage(options: Options): readonly Planned[] {
  const trial = async (bench: Bench): Promise<Trial> => setUp(bench, options);
  return [
    { load: { mode: "rate", rate: 5_000 }, setUp: trial },
    { load: { mode: "rate", rate: 20_000 }, setUp: trial },
    { load: { mode: "saturation", inFlight: 2_000 }, setUp: trial },
  ];
}

async function setUp(
  bench: Bench,
  { filled, appendfsync = "everysec" }: Pick<Options, "filled" | "appendfsync">,
): Promise<Trial> {
  const settings = await startRedis(bench, appendfsync);
  const filling = filled === 0 ? {} : await fill(bench, settings, filled);
  const driver = (name: string) =>
    bench.driver({ name, file: new URL(`${name}-process.ts`, import.meta.url), settings });
  const consumer = driver("consumer");
  const producer = driver("producer");
  await Promise.all([consumer.ready, producer.ready]);
  return {
    stage: "admission-queue",
    driver: producer,
    counted: ["producer", "consumer", "redis"],
    latency: "arrival to accepted",
    setting: { redis: `TCP, AOF ${appendfsync}`, filled },
    arrived: async () => (await markOf(consumer)).answers["handled"] ?? 0,
    check: async (journal, window) => {
      const { latencies, lost, details } = checkArrivals(journal, await arrivalsOf(consumer), window);
      const pickedUp = {
        pickedUpP50Ms: latencies.percentile(0.5),
        pickedUpP99Ms: latencies.percentile(0.99),
      };
      return { lost, details: { ...details, ...pickedUp, ...filling } };
    },
  };
}

async function fill(bench: Bench, url: string, count: number): Promise<Filling> {
  const file = new URL("filler-process.ts", import.meta.url);
  const filler = bench.driver({ name: "filler", file, settings: { url, count } });
  return fillingOf(await filler.ready);
}
