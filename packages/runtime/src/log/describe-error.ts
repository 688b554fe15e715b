/** What a log shows of an error. Foreign fields stay out: a failed Redis command carries its arguments. */
export interface ErrorRecord {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: ErrorRecord;
}

const DEEPEST = 5;

/** Total: anything thrown gives a record. */
export function describeError(thrown: unknown, depth = 0): ErrorRecord {
  if (!(thrown instanceof Error)) return { type: typeof thrown, message: String(thrown) };
  const code = "code" in thrown && typeof thrown.code === "string" ? { code: thrown.code } : {};
  const stack = thrown.stack === undefined ? {} : { stack: thrown.stack };
  const deeper = thrown.cause !== undefined && depth < DEEPEST;
  const cause = deeper ? { cause: describeError(thrown.cause, depth + 1) } : {};
  return { type: thrown.name, message: thrown.message, ...code, ...stack, ...cause };
}
