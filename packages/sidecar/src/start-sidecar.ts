import { type AddressInfo } from "node:net";

import { type Clock, type PartHealth, seconds } from "@reveille/wakeup";
import { type FastifyInstance } from "fastify";

import { type FrontCertificatesOptions, watchFrontCertificates } from "./front-certificates.ts";
import { sidecarApp, statusApp } from "./sidecar-app.ts";
import { type Watch, watchHost, type WatchOptions } from "./watch-host.ts";

export interface Listen {
  readonly host: string;
  readonly port: number;
}

export interface SidecarOptions extends Omit<WatchOptions, "certificateExpiresAt" | "certificateTrouble"> {
  /** Port 0: any free one. */
  readonly listen: Listen;
  /** Serves the status page and nothing else, for the public. */
  readonly statusListen?: Listen;
  /** Fronts whose certificates are to be watched, and the name they serve. */
  readonly fronts?: Pick<FrontCertificatesOptions, "fronts" | "domain">;
}

/** A running sidecar. Disposing stops it. */
export interface Sidecar extends AsyncDisposable {
  readonly address: Listen;
  readonly statusAddress: Listen | undefined;
  readonly health: () => PartHealth;
}

const POLL_EVERY = seconds(1);
/**
 * Every how many polls the metrics are asked for as well. What a killed process counted after the last time is
 * lost to the sums of the host.
 */
const METRICS_EVERY = 5;
/** A poll gives up on a role that hangs within a second. */
const STUCK_AFTER = seconds(15);

/** Serves metrics, health and status of this host. Resolves when it listens and has seen every role once. */
export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  const { listen, statusListen, fronts, clock, observe } = options;
  await using starting = new AsyncDisposableStack();
  const certificates =
    fronts === undefined ? undefined : starting.use(watchFrontCertificates({ ...fronts, clock, observe }));
  const watch = watchHost({
    ...options,
    ...(certificates === undefined
      ? {}
      : {
          certificateExpiresAt: certificates.firstExpiry,
          certificateTrouble: certificates.trouble,
        }),
  });
  const { answers } = watch;
  await watch.pollAll();
  const address = await serve(sidecarApp(answers), listen, starting);
  const statusAddress =
    statusListen === undefined ? undefined : await serve(statusApp(answers), statusListen, starting);
  const polling = starting.use(startPolling(watch, clock));
  const running = starting.move();
  return {
    address,
    statusAddress,
    health: polling.health,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
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

/** Polls until disposed. */
function startPolling(
  { pollHealth, pollAll }: Watch,
  clock: Clock,
): Pick<Sidecar, "health"> & AsyncDisposable {
  const stop = new AbortController();
  let polledAt = clock.monotonic();
  const polling = poll();
  return {
    health: () => {
      const isStuck = clock.monotonic() - polledAt > STUCK_AFTER;
      return {
        part: "polls",
        health: isStuck
          ? { kind: "failing", because: "a poll of the roles does not end", stuck: true }
          : { kind: "ready" },
      };
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await polling;
    },
  };

  async function poll(): Promise<void> {
    for (let round = 1; !stop.signal.aborted; round += 1) {
      await clock.sleep(POLL_EVERY, stop.signal);
      if (stop.signal.aborted) return;
      await (round % METRICS_EVERY === 0 ? pollAll() : pollHealth());
      polledAt = clock.monotonic();
    }
  }
}
