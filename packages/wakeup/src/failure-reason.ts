/**
 * Why something failed, fit for logs. Redis repeats the arguments of a command that it does not know, and a parser what it
 * could not parse, either of which may hold device tokens; so no text of theirs gets through.
 */
export function failureReason(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  if ("code" in error && typeof error.code === "string") return error.code;
  const [redisCode] = /^[A-Z]{2,20}(?= |$)/.exec(error.message) ?? [];
  return redisCode ?? (error.name === "Error" ? error.message : error.name);
}
