import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const isCollector = (value: unknown): value is () => void => typeof value === "function";

/** Bytes in use in the heap of this process after a full collection. */
export function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (!isCollector(collect)) throw new Error("no garbage collector");
  collect();
  return process.memoryUsage().heapUsed;
}
