export { type DeviceMemory, type Send } from "./ports.ts";
export { type RunningWorker, startWorker, type WorkerOptions } from "./start-worker.ts";
