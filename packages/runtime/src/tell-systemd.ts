import { execFile } from "node:child_process";

import { type Clock, type Health, type Millis, millis, type PartHealth, seconds } from "@reveille/wakeup";

import { type Start } from "./run-until.ts";

export interface SystemdOptions {
  /** That of the process: systemd says there where it listens and how often it wants to hear (sd_notify(3)). */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Those of the process once it works. */
  readonly parts: () => readonly PartHealth[];
  readonly clock: Clock;
  /** The first message that systemd did not take since it took one; the process works on. */
  readonly onTrouble: (error: Error) => void;
}

/**
 * The last part of a process to start and the first to stop: tells systemd that the process is ready, how it fares, that
 * it makes progress, and that it drains. Without `NOTIFY_SOCKET` it does nothing. Never throws: a dead socket, or no
 * `systemd-notify`, is told to `onTrouble`, and a message that was not taken is sent again with the next one. A unit of
 * `Type=notify` that systemd never hears of is started again by systemd; whoever set the variable by mistake (a container,
 * a shell) has a role that works.
 *
 * The watchdog hears of progress only while this event loop turns and no part is stuck. A part that fails for want of
 * something outside the process is not stuck: a restart would mend nothing.
 */
export const tellSystemd =
  ({ environment, parts, clock, onTrouble }: SystemdOptions): Start =>
  async () => {
    if (environment["NOTIFY_SOCKET"] === undefined) return { [Symbol.asyncDispose]: () => Promise.resolve() };
    const watchdog = watchdogOf(environment);
    const told = { ready: false, status: "" };
    let inTrouble = false;
    const stop = new AbortController();
    await tell();
    const telling = keepTelling();
    return {
      [Symbol.asyncDispose]: async () => {
        stop.abort();
        await telling;
        await tried(["STOPPING=1", "STATUS=draining"]);
      },
    };

    async function keepTelling(): Promise<void> {
      while (!stop.signal.aborted) {
        await clock.sleep(watchdog ?? STATUS_EVERY, stop.signal);
        if (!stop.signal.aborted) await tell();
      }
    }

    /** What systemd has not taken yet, and that there is progress. */
    async function tell(): Promise<void> {
      const now = parts();
      const status = statusOf(now);
      const progresses = told.ready && watchdog !== undefined && !now.some(isStuck);
      const isTaken = await tried([
        ...(told.ready ? [] : ["READY=1"]),
        ...(progresses ? ["WATCHDOG=1"] : []),
        ...(status === told.status ? [] : [`STATUS=${status}`]),
      ]);
      if (isTaken) Object.assign(told, { ready: true, status });
    }

    async function tried(message: readonly string[]): Promise<boolean> {
      if (message.length === 0) return true;
      const trouble = await say(environment, message);
      if (trouble !== undefined && !inTrouble) onTrouble(trouble);
      inTrouble = trouble !== undefined;
      return !inTrouble;
    }
  };

const STATUS_EVERY = seconds(10);

/** How often systemd is told of progress: three times in what it has patience for. `undefined`: it does not watch us. */
function watchdogOf(environment: SystemdOptions["environment"]): Millis | undefined {
  const pid = environment["WATCHDOG_PID"];
  if (pid !== undefined && pid !== String(process.pid)) return undefined;
  const micros = Number(environment["WATCHDOG_USEC"]);
  return micros > 0 ? millis(micros / 3_000) : undefined;
}

const isStuck = ({ health }: PartHealth): boolean => health.kind === "failing" && health.stuck === true;

/** One line for `systemctl status`. */
function statusOf(parts: readonly PartHealth[]): string {
  const troubles = parts.flatMap(({ part, health }) => {
    const words = wordsFor(health);
    return words === undefined ? [] : [`${part}: ${words}`];
  });
  return troubles.length === 0 ? "ready" : troubles.join("; ").replaceAll(/\s+/g, " ");
}

function wordsFor(health: Health): string | undefined {
  switch (health.kind) {
    case "ready":
      return undefined;
    case "starting":
    case "draining":
      return health.kind;
    case "failing":
      return health.because;
  }
}

/** Longer than the 5 s that `systemd-notify` waits for systemd to have read. */
const SAY_WITHIN = seconds(8);

/**
 * Node has no Unix datagram sockets, so systemd's own program speaks for us. It waits until systemd has read the message:
 * one from a process that has ended can't be told apart from a stranger's. Gives what went wrong; never rejects.
 */
function say(
  environment: SystemdOptions["environment"],
  message: readonly string[],
): Promise<Error | undefined> {
  const socket = environment["NOTIFY_SOCKET"];
  const env = { PATH: environment["PATH"], NOTIFY_SOCKET: socket };
  return new Promise((resolve) => {
    execFile("systemd-notify", [...message], { env, timeout: SAY_WITHIN }, (error) => {
      if (error === null) resolve(undefined);
      else if (error.code === "ENOENT") {
        resolve(new Error("there is no systemd-notify; it comes with Debian's package systemd"));
      } else {
        const cause = { cause: error };
        resolve(new Error(`nobody takes messages at ${socket}; unset NOTIFY_SOCKET without systemd`, cause));
      }
    });
  });
}
