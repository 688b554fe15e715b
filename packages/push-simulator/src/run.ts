import { writeFile } from "node:fs/promises";

import { type CommandLine, readCommandLine } from "./command-line.ts";
import { type Routes, routesOf } from "./control/routes.ts";
import { startControl } from "./control/start-control.ts";
import { fcmRoutesOf } from "./fcm/fcm-control.ts";
import { startFcmSimulator } from "./fcm/fcm-simulator.ts";
import { startApnsSimulator } from "./simulator.ts";
import { startThroughputServer } from "./throughput/start-throughput-server.ts";

/** What a run of the executable needs from its process. */
export interface RunOptions {
  /** Arguments after the program's name; `--help` lists them. */
  readonly args: readonly string[];
  /** Gets one line: the ports as JSON when all answer, or the help. */
  readonly print: (line: string) => void;
  /** Ends the run. */
  readonly stop: AbortSignal;
}

/**
 * The simulator as a process: starts it with its control port and serves until `stop`. Throws on arguments it
 * does not know, unreadable files and ports in use.
 */
export async function runPushSimulator({ args, print, stop }: RunOptions): Promise<void> {
  const command = await readCommandLine(args);
  if (command.kind === "help") {
    print(command.text);
    return;
  }
  await using running = await STARTS[command.mode](command);
  await using control = await startControl(running.routes, command.controlPort, command.controlHost);
  if (command.caOut !== undefined) await writeFile(command.caOut, running.ca);
  print(JSON.stringify({ kind: "ready", port: running.port, controlPort: control.port, url: running.url }));
  await new Promise<void>((resolve) => {
    if (stop.aborted) resolve();
    stop.addEventListener("abort", () => resolve(), { once: true });
  });
}

interface Running extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly ca: string;
  readonly routes: Routes;
}

const STARTS = { apns: startFaithful, throughput: startThroughput, fcm: startFcm } as const;

type ServeCommand = Extract<CommandLine, { kind: "serve" }>;

async function startFaithful({ options }: ServeCommand): Promise<Running> {
  const simulator = await startApnsSimulator(options);
  const { port, url, ca } = simulator;
  return {
    port,
    url,
    ca,
    routes: routesOf(simulator),
    [Symbol.asyncDispose]: async () => simulator[Symbol.asyncDispose](),
  };
}

async function startThroughput({ options }: ServeCommand): Promise<Running> {
  const { streamLimit, latency } = options.behaviour ?? {};
  const server = await startThroughputServer({
    ...options,
    ...(streamLimit === undefined ? {} : { streamLimit }),
    ...(latency === undefined ? {} : { latency }),
  });
  const { port, url, ca } = server;
  return {
    port,
    url,
    ca,
    routes: new Map([["GET /_sim/stats", () => server.stats()]]),
    [Symbol.asyncDispose]: async () => server[Symbol.asyncDispose](),
  };
}

async function startFcm({ options, accountOut }: ServeCommand): Promise<Running> {
  const { host, port: wanted, seed, behaviour } = options;
  const simulator = await startFcmSimulator({
    ...(host === undefined ? {} : { host }),
    ...(wanted === undefined ? {} : { port: wanted }),
    ...(seed === undefined ? {} : { seed }),
    ...(behaviour?.latency === undefined ? {} : { latency: behaviour.latency }),
  });
  if (accountOut !== undefined) await writeFile(accountOut, simulator.serviceAccount, { mode: 0o600 });
  const { port, url, ca } = simulator;
  return {
    port,
    url,
    ca,
    routes: fcmRoutesOf(simulator),
    [Symbol.asyncDispose]: async () => simulator[Symbol.asyncDispose](),
  };
}
