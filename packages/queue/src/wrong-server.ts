import { type Clock, type Millis, millis, seconds } from "@reveille/wakeup";

/**
 * Answers that say: not here. Behind one address (a proxy, a service, a managed endpoint) the server may have become a
 * replica while our connections to it stay; only a new connection leads to the primary. Redis before 7 puts what a script
 * was answered behind a text of its own.
 */
const WRONG =
  /^(READONLY|MASTERDOWN|MOVED|ASK|CLUSTERDOWN|UNBLOCKED)\b|@user_script:.* -(READONLY|MASTERDOWN|MOVED|CLUSTERDOWN)\b/;

/** How long a server may load its data before another connection is tried, which may lead to another server. */
const LOADING_AT_MOST = seconds(15);
/** Without such an answer for so long, a server has loaded in the meantime. */
const LOADING_IS_OVER = seconds(5);

/** Leaves a server that says of itself that it is the wrong one. */
export interface WrongServer {
  /** For ioredis: 1 ends the connection, and another one is opened; the command fails. */
  readonly reconnectOnError: (error: Error) => 1 | false;
  /** What the server that was left last has answered, until `forget`. */
  readonly answer: () => string | undefined;
  readonly forget: () => void;
}

/** One for a connection and those that BullMQ makes by its options. */
export function wrongServer(clock: Pick<Clock, "monotonic">): WrongServer {
  let answer: string | undefined;
  let loading: { readonly since: Millis; last: Millis } | undefined;

  return {
    reconnectOnError: ({ message }) => {
      const [, own, ofScript] = WRONG.exec(message) ?? [];
      const code = own ?? ofScript ?? (loadsTooLong(message) ? "LOADING" : undefined);
      if (code === undefined) return false;
      answer = code;
      return 1;
    },
    answer: () => answer,
    forget: () => void (answer = undefined),
  };

  function loadsTooLong(message: string): boolean {
    if (!/^LOADING\b/.test(message)) return false;
    const now = millis(clock.monotonic());
    if (loading === undefined || now - loading.last > LOADING_IS_OVER) loading = { since: now, last: now };
    loading.last = now;
    if (now - loading.since < LOADING_AT_MOST) return false;
    loading = undefined;
    return true;
  }
}
