import { fileURLToPath } from "node:url";

import { type Bench } from "../bench.ts";
import { accepting, freePort } from "../ports.ts";
import { type ApnsEnd } from "./apns.ts";
import { makeCertificate } from "./certificate.ts";

const EXECUTABLE = fileURLToPath(new URL("../../../packages/push-simulator/src/main.ts", import.meta.url));

/** Our simulator where it only answers 200 and counts; it cannot say which devices it was asked for. */
export async function startSimulator(bench: Bench): Promise<ApnsEnd> {
  const [port, controlPort] = [await freePort(), await freePort()];
  const { certFile, keyFile } = await makeCertificate(bench.folder);
  const tls = ["--tls-key", keyFile, "--tls-cert", certFile];
  const ports = ["--port", `${port}`, "--control-port", `${controlPort}`];
  const running = bench.node("apns (simulator)", [EXECUTABLE, "--throughput", ...ports, ...tls]);
  await Promise.race([accepting(controlPort), running.failed]);
  return {
    name: "simulator",
    port,
    caFile: certFile,
    requests: async () => {
      const stats: unknown = await (await fetch(`http://127.0.0.1:${controlPort}/_sim/stats`)).json();
      return pushesOf(stats);
    },
  };
}

function pushesOf(stats: unknown): number {
  if (typeof stats === "object" && stats !== null && "pushes" in stats) return Number(stats.pushes);
  throw new Error("the simulator gave no stats");
}
