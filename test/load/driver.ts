import { type Arrivals } from "./arrivals.ts";
import { type Journal, type Load, type Mark } from "./load-loop.ts";
import { type ProcessSettings, type Running, startProcess } from "./processes.ts";

/** A process of ours that makes or takes load. */
export interface Driver extends Running {
  /** What it said when it was ready, e.g. its port. */
  readonly ready: Promise<unknown>;
  readonly ask: (question: Question) => Promise<unknown>;
}

/** What can be asked; a process answers those that have a meaning for it. */
export type Question =
  /** Answered when the process has its counterpart, e.g. the component has made its handshake. */
  | { readonly kind: "connected" }
  | { readonly kind: "start"; readonly load: Load }
  | { readonly kind: "arrived"; readonly total: number }
  | { readonly kind: "mark" }
  | { readonly kind: "stop" }
  | { readonly kind: "in-flight" }
  | { readonly kind: "journal" }
  | { readonly kind: "arrivals" };

export interface Asked {
  readonly id: number;
  readonly question: Question;
}

export type Said =
  | { readonly kind: "ready"; readonly value: unknown }
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown };

export type DriverSettings = Pick<ProcessSettings, "name" | "folder"> & {
  /** File of the process, and what it gets as its only argument, as JSON. */
  readonly file: URL;
  readonly settings: unknown;
  readonly nodeOptions: readonly string[];
};

export function startDriver({ name, folder, file, settings, nodeOptions }: DriverSettings): Driver {
  const args = [...nodeOptions, file.pathname, JSON.stringify(settings)];
  const running = startProcess({ name, folder, command: process.execPath, args, channel: true });
  const ready = Promise.withResolvers<unknown>();
  const waiting = new Map<number, (value: unknown) => void>();
  let asked = 0;
  running.child.on("message", (message: unknown) => {
    if (!isSaid(message)) return;
    if (message.kind === "ready") ready.resolve(message.value);
    else waiting.get(message.id)?.(message.value);
  });
  return {
    ...running,
    ready: Promise.race([ready.promise, running.failed]),
    ask: async (question) => {
      asked += 1;
      const answer = Promise.withResolvers<unknown>();
      waiting.set(asked, answer.resolve);
      running.child.send({ id: asked, question } satisfies Asked);
      return Promise.race([answer.promise, running.failed]);
    },
  };
}

export async function markOf(driver: Driver): Promise<Mark> {
  const mark = await driver.ask({ kind: "mark" });
  if (isMark(mark)) return mark;
  throw new Error(`${driver.name} gave no mark`);
}

export async function journalOf(driver: Driver): Promise<Journal> {
  const journal = await driver.ask({ kind: "journal" });
  if (isJournal(journal)) return journal;
  throw new Error(`${driver.name} gave no journal`);
}

export async function arrivalsOf(driver: Driver): Promise<Arrivals> {
  const arrivals = await driver.ask({ kind: "arrivals" });
  if (isArrivals(arrivals)) return arrivals;
  throw new Error(`${driver.name} gave no arrivals`);
}

export async function inFlightOf(driver: Driver): Promise<number> {
  return Number(await driver.ask({ kind: "in-flight" }));
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

const isSaid = (value: unknown): value is Said =>
  isRecord(value) &&
  (value["kind"] === "ready" || (value["kind"] === "answer" && typeof value["id"] === "number"));

const isMark = (value: unknown): value is Mark =>
  isRecord(value) &&
  typeof value["at"] === "number" &&
  typeof value["sent"] === "number" &&
  isRecord(value["answers"]) &&
  value["latencies"] instanceof Uint32Array;

const isJournal = (value: unknown): value is Journal =>
  isRecord(value) && value["intended"] instanceof Float64Array && value["accepted"] instanceof Uint8Array;

const isArrivals = (value: unknown): value is Arrivals =>
  isRecord(value) && value["first"] instanceof Float64Array && typeof value["again"] === "number";
