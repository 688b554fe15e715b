import { execFile } from "node:child_process";

import { type Clock, type Health, type Millis, millis, type PartHealth, seconds } from "@reveille/wakeup";

import { type Start } from "./run-until.ts";

export interface SystemdOptions {
  /** That of the process: systemd says there where it listens and how often it wants to hear (sd_notify(3)). */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Those of the process once it works. */
  readonly parts: () => readonly PartHealth[];
  readonly clock: Clock;
  /** A message that systemd did not take while the process worked. */
  readonly onTrouble: (error: Error) => void;
}

/**
 * The last part of a process to start and the first to stop: tells systemd that the process is ready, how it fares, that
 * it makes progress, and that it drains. Without `NOTIFY_SOCKET` it does nothing. Throws if systemd listens but
 * cannot be told.
 *
 * The watchdog hears of progress only while this event loop turns and no part is stuck. A part that fails for want of
 * something outside the process is not stuck: a restart would mend nothing.
 */
export const tellSystemd =
  ({ environment, parts, clock, onTrouble }: SystemdOptions): Start =>
  async () => {
    if (environment["NOTIFY_SOCKET"] === undefined) return { [Symbol.asyncDispose]: () => Promise.resolve() };
    const watchdog = watchdogOf(environment);
    let status = statusOf(parts());
    await say(environment, ["READY=1", `STATUS=${status}`]);
    const stop = new AbortController();
    const telling = tell();
    return {
      [Symbol.asyncDispose]: async () => {
        stop.abort();
        await telling;
        await say(environment, ["STOPPING=1", "STATUS=draining"]).catch(onTrouble);
      },
    };

    async function tell(): Promise<void> {
      while (!stop.signal.aborted) {
        await clock.sleep(watchdog ?? STATUS_EVERY, stop.signal);
        if (!stop.signal.aborted) await say(environment, news()).catch(onTrouble);
      }
    }

    function news(): readonly string[] {
      const before = status;
      const now = parts();
      status = statusOf(now);
      return [
        ...(watchdog === undefined || now.some(isStuck) ? [] : ["WATCHDOG=1"]),
        ...(status === before ? [] : [`STATUS=${status}`]),
      ];
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
 * one from a process that has ended can't be told apart from a stranger's.
 */
async function say(environment: SystemdOptions["environment"], message: readonly string[]): Promise<void> {
  if (message.length === 0) return;
  const env = { PATH: environment["PATH"], NOTIFY_SOCKET: environment["NOTIFY_SOCKET"] };
  await new Promise<void>((resolve, reject) => {
    execFile("systemd-notify", [...message], { env, timeout: SAY_WITHIN }, (error) => {
      if (error === null) resolve();
      else
        reject(
          new Error("cannot tell systemd by systemd-notify, of Debian's package systemd", { cause: error }),
        );
    });
  });
}
