import { type AddressInfo } from "node:net";

import { type Clock, seconds } from "@reveille/wakeup";
import { type FastifyInstance } from "fastify";

import { sidecarApp, statusApp } from "./sidecar-app.ts";
import { type Watch, watchHost, type WatchOptions } from "./watch-host.ts";

export interface Listen {
  readonly host: string;
  readonly port: number;
}

export interface SidecarOptions extends WatchOptions {
  /** Port 0: any free one. */
  readonly listen: Listen;
  /** Serves the status page and nothing else, for the public. */
  readonly statusListen?: Listen;
}

/** A running sidecar. Disposing stops it. */
export interface Sidecar extends AsyncDisposable {
  readonly address: Listen;
  readonly statusAddress: Listen | undefined;
}

const POLL_EVERY = seconds(1);
/**
 * Every how many polls the metrics are asked for as well. What a killed process counted after the last time is
 * lost to the sums of the host.
 */
const METRICS_EVERY = 5;

/** Serves metrics, health and status of this host. Resolves when it listens and has seen every role once. */
export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  const { listen, statusListen, clock } = options;
  const watch = watchHost(options);
  const { answers } = watch;
  await watch.pollAll();
  await using starting = new AsyncDisposableStack();
  const address = await serve(sidecarApp(answers), listen, starting);
  const statusAddress =
    statusListen === undefined ? undefined : await serve(statusApp(answers), statusListen, starting);
  const stop = new AbortController();
  const polling = pollUntil(stop.signal, watch, clock);
  starting.defer(async () => {
    stop.abort();
    await polling;
  });
  const running = starting.move();
  return { address, statusAddress, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function serve(app: FastifyInstance, listen: Listen, stack: AsyncDisposableStack): Promise<Listen> {
  stack.defer(() => app.close());
  await app.listen(listen);
  return addressOf(app.server.address());
}

function addressOf(address: AddressInfo | string | null): Listen {
  if (address === null || typeof address === "string") throw new Error("the sidecar listens on no port");
  return { host: address.address, port: address.port };
}

async function pollUntil(stop: AbortSignal, { pollHealth, pollAll }: Watch, clock: Clock): Promise<void> {
  const stopped = (): boolean => stop.aborted;
  for (let round = 1; !stopped(); round += 1) {
    await clock.sleep(POLL_EVERY, stop);
    if (stopped()) return;
    await (round % METRICS_EVERY === 0 ? pollAll() : pollHealth());
  }
}
