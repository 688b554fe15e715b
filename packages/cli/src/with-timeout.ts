import { type Clock, type Millis } from "@reveille/wakeup";

/** Gives `work` a signal that aborts when the timeout is over. */
export async function withTimeout<Result>(
  { clock, timeout }: { readonly clock: Clock; readonly timeout: Millis },
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const late = new AbortController();
  const done = new AbortController();
  const watch = async (): Promise<void> => {
    await clock.sleep(timeout, done.signal);
    if (!done.signal.aborted) late.abort();
  };
  void watch();
  try {
    return await work(late.signal);
  } finally {
    done.abort();
  }
}
