/** The message of an error with those of its causes. */
export function reasonOf(error: unknown): string {
  const messages: string[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    // "The operation was aborted" adds nothing to a message that names the time.
    if (cause.name !== "AbortError") messages.push(cause.message);
  }
  return messages.length === 0 ? String(error) : messages.join(": ");
}
