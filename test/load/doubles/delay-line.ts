import { once } from "node:events";
import { connect, createServer } from "node:net";

import { portOf } from "../ports.ts";
import { serveDriver, settingsOf } from "../serve-driver.ts";

/** A long way to the far end: passes TCP on, and what comes back only after a delay. */
interface Settings {
  readonly to: number;
  readonly delayMs: number;
}

const isSettings = (value: unknown): value is Settings =>
  typeof value === "object" && value !== null && "to" in value && "delayMs" in value;

const { to, delayMs } = settingsOf(isSettings);

const server = createServer({ noDelay: true }, (near) => {
  const far = connect({ port: to, host: "127.0.0.1", noDelay: true });
  near.pipe(far);
  // Timers of one length fire in the order in which they were set, so the bytes keep theirs.
  far.on("data", (chunk) => setTimeout(() => near.write(chunk), delayMs));
  far.on("close", () => setTimeout(() => near.destroy(), delayMs));
  near.on("close", () => far.destroy());
  // Either end may be killed when a run is over.
  near.on("error", () => far.destroy());
  far.on("error", () => near.destroy());
});
server.listen(0, "127.0.0.1");
await once(server, "listening");

serveDriver(
  { port: portOf(server.address()) },
  () => undefined,
  async () => {
    server.close();
    return Promise.resolve();
  },
);
