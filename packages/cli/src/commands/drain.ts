import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { askRoles, systemClock } from "@reveille/runtime";
import { seconds } from "@reveille/wakeup";

import { Haproxy } from "../drain/haproxy.ts";
import { type Moved, moveStreams, takeStreams } from "../drain/move-streams.ts";
import { loadConfig } from "../role/load-config.ts";
import { print } from "../terminal/print.ts";
import { type OperatorOptions } from "../role/operator-options.ts";

export interface DrainOptions extends OperatorOptions {
  /** Take the host back into service instead. */
  readonly undo: boolean;
  /** Drain a front of ours although no other host is ready. */
  readonly always: boolean;
  /** Path of HAProxy's command socket. */
  readonly haproxy: string;
}

/** The sidecar says 503 while a file of this name stands in the runtime folder. */
const MARK = "draining";

/** Senders' streams have moved, and what was on its way has come. */
const QUIET_FOR = seconds(3);
const LOOK_EVERY = seconds(0.5);
/** Longer than HAProxy needs to notice, and a server to open a stream anew. */
const WITHIN = seconds(60);

/** `reveille drain`: throws if publishes still come after a minute; the host stays marked then. */
export async function runDrain(options: DrainOptions): Promise<void> {
  const { runtimeDir, host } = await loadConfig(options.config);
  const mark = join(runtimeDir, MARK);
  if (options.undo) {
    const hasOwnFront = await tellOwnFront(runtimeDir, "/undo-drain");
    await rm(mark, { force: true });
    if (hasOwnFront) return print({ draining: false }, "the front listens again", options);
    await withHaproxy(options.haproxy, async (haproxy) => takeStreams(haproxy, host));
    print({ draining: false }, "back in service as soon as it is ready", options);
    return;
  }
  if (await tellOwnFront(runtimeDir, options.always ? "/drain?always" : "/drain")) {
    await writeFile(mark, "");
    await quiet(runtimeDir, "does another ingress use this front?");
    print(
      { draining: true },
      `the front does not listen, and its streams are closed; no publish for ${QUIET_FOR / 1_000} s: the roles may be stopped`,
      options,
    );
    return;
  }
  const moved = await withHaproxy(options.haproxy, async (haproxy) =>
    moveStreams(haproxy, host, systemClock),
  );
  await writeFile(mark, "");
  await quiet(
    runtimeDir,
    "is the other host ready, does HAProxy run here, and was it restarted (not reloaded) last?",
  );
  print(
    { draining: true, ...moved },
    `${inWords(moved, options.haproxy)}; no publish for ${QUIET_FOR / 1_000} s: the roles may be stopped`,
    options,
  );
}

/** Longer than a stream is open that does not come to rest. */
const FRONT_WITHIN = seconds(60);

/** Whether a front of ours runs here, which then did what it was told. Throws what speaks against that. */
async function tellOwnFront(
  runtimeDir: string,
  path: "/drain" | "/drain?always" | "/undo-drain",
): Promise<boolean> {
  const question = { method: "POST", path, only: "front", within: FRONT_WITHIN } as const;
  const fronts = await askRoles(runtimeDir, question, systemClock);
  for (const { pid, answer } of fronts) {
    if (answer.kind !== "answered")
      throw new Error(`the front (process ${pid}) does not answer at its socket in ${runtimeDir}`);
    const because = fieldOf(answer.body, "because");
    if (fieldOf(answer.body, "kind") === "refused") throw new Error(`the front refuses: ${String(because)}`);
  }
  return fronts.length > 0;
}

/** `undefined` if no HAProxy runs on this host. */
async function withHaproxy<Result>(
  socketPath: string,
  work: (haproxy: Haproxy) => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await work(new Haproxy(socketPath, systemClock));
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ENOENT" || code === "ECONNREFUSED") return undefined;
    throw new Error(
      `cannot ask HAProxy at ${socketPath}: is this root, and has the socket \`level admin\`?`,
      { cause },
    );
  }
}

function inWords(moved: Moved | undefined, socketPath: string): string {
  if (moved === undefined) return `no HAProxy at ${socketPath} with another front to pass streams to`;
  const left = moved.left === 0 ? "" : `, ${moved.left} that never rested cut`;
  return `${moved.moved} streams moved while they rested${left}`;
}

/** Resolves when no ingress of this host has got a publish for a while. */
async function quiet(runtimeDir: string, hint: string): Promise<void> {
  const clock = systemClock;
  const startedAt = clock.monotonic();
  let [last, since] = [await publishesAt(runtimeDir), startedAt];
  while (clock.monotonic() - since < QUIET_FOR) {
    if (clock.monotonic() - startedAt > WITHIN) {
      throw new Error(`publishes still come after ${WITHIN / 1_000} s: ${hint}`);
    }
    await clock.sleep(LOOK_EVERY);
    const now = await publishesAt(runtimeDir);
    if (now !== last) [last, since] = [now, clock.monotonic()];
  }
}

/** How many publishes the ingresses of this host have answered since they started. */
async function publishesAt(runtimeDir: string): Promise<number> {
  const question = { method: "GET", path: "/report", within: seconds(2) } as const;
  const roles = await askRoles(runtimeDir, question, systemClock);
  return roles
    .filter(({ role }) => role === "ingress")
    .map(({ answer }) => (answer.kind === "answered" ? publishesIn(answer.body) : 0))
    .reduce((sum, count) => sum + count, 0);
}

function publishesIn(report: unknown): number {
  const family = listIn(report, "metrics").find((one) => fieldOf(one, "name") === "reveille_publishes_total");
  return listIn(family, "values").reduce<number>((sum, one) => sum + Number(fieldOf(one, "value")), 0);
}

function listIn(value: unknown, name: string): readonly unknown[] {
  const list = fieldOf(value, name);
  return Array.isArray(list) ? list : [];
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
