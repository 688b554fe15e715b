/** What a log shows of an error. Foreign fields stay out: a failed Redis command carries its arguments. */
export interface ErrorRecord {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: ErrorRecord;
  /** The first of two failures, when stopping after it failed as well. */
  readonly suppressed?: ErrorRecord;
}

const DEEPEST = 5;

/** Total: anything thrown gives a record. */
export function describeError(thrown: unknown, depth = 0): ErrorRecord {
  if (!(thrown instanceof Error)) return { type: typeof thrown, message: String(thrown) };
  const code = "code" in thrown && typeof thrown.code === "string" ? { code: thrown.code } : {};
  const stack = thrown.stack === undefined ? {} : { stack: thrown.stack };
  return {
    type: thrown.name,
    message: thrown.message,
    ...code,
    ...stack,
    ...(depth < DEEPEST ? behind(thrown, depth + 1) : {}),
  };
}

function behind(thrown: Error, depth: number): Pick<ErrorRecord, "cause" | "suppressed"> {
  if (thrown instanceof SuppressedError) {
    return { cause: describeError(thrown.error, depth), suppressed: describeError(thrown.suppressed, depth) };
  }
  return thrown.cause === undefined ? {} : { cause: describeError(thrown.cause, depth) };
}
