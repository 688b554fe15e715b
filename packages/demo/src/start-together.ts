/**
 * Waits for things that start side by side and hands them to `parts`, in that order. If one fails, throws its error after
 * the others have started, so that none of them is left out of `parts`.
 */
export async function allOrNothing<T extends readonly Promise<AsyncDisposable>[] | []>(
  parts: AsyncDisposableStack,
  starts: T,
): Promise<{ -readonly [Index in keyof T]: Awaited<T[Index]> }> {
  const all: readonly Promise<AsyncDisposable>[] = starts;
  for (const start of await Promise.allSettled(all)) {
    if (start.status === "fulfilled") parts.use(start.value);
  }
  return Promise.all(starts);
}
