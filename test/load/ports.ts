import { once } from "node:events";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const PAUSE = 20;

/** A port of the loopback that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("the loopback gave no port");
  return address.port;
}

/** Resolves when somebody accepts connections there. Give it up by racing it with something that fails. */
export async function accepting(port: number): Promise<void> {
  while (!(await accepts(port))) await sleep(PAUSE);
}

async function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const settle = (accepted: boolean): void => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}

/** The port in what a process said when it was ready. */
export function portOf(ready: unknown): number {
  if (typeof ready === "object" && ready !== null && "port" in ready && typeof ready.port === "number") {
    return ready.port;
  }
  throw new Error("a process did not say its port");
}
