import { serveDriver, settingsOf } from "../serve-driver.ts";
import { openLongWay } from "./long-way.ts";

/** A long way to the far end, as a process of its own. */
interface Settings {
  readonly to: number;
  readonly delayMs: number;
}

const isSettings = (value: unknown): value is Settings =>
  typeof value === "object" && value !== null && "to" in value && "delayMs" in value;

const { to, delayMs } = settingsOf(isSettings);
const way = await openLongWay({ port: to, host: "127.0.0.1" }, delayMs);

serveDriver(
  { port: way.port },
  () => undefined,
  async () => way[Symbol.asyncDispose](),
);
