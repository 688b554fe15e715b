/** What a part gets when it starts. */
export interface StartContext {
  /** Aborts when the process is asked to stop or another part has broken: give up starting. */
  readonly signal: AbortSignal;
  /** Reports that the part has broken for good; the process then stops and `runUntil` throws this error. */
  readonly fail: (error: Error) => void;
}

/** Starts a part; resolves when it works. Disposing drains it, then stops it. */
export type Start = (context: StartContext) => Promise<AsyncDisposable>;

/**
 * Starts parts in order, waits for `stop` or a failure, then stops them in reverse order. Throws why a part
 * could not start or has broken; a start that gives up because its signal aborts is no failure of its own.
 */
export async function runUntil(stop: AbortSignal, starts: readonly Start[]): Promise<void> {
  const broken = new AbortController();
  const signal = AbortSignal.any([stop, broken.signal]);
  {
    await using parts = new AsyncDisposableStack();
    for (const start of starts) {
      if (signal.aborted) break;
      try {
        parts.use(await start({ signal, fail: (error) => broken.abort(error) }));
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
    await aborted(signal);
    // Thrown while the parts are still up, so that trouble in stopping them cannot take its place.
    broken.signal.throwIfAborted();
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
