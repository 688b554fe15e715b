/** The kind of a failure for logs; the text of an error may hold more than we want there. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  const redisCode = /^[A-Z]{2,20}\b/.exec(error.message)?.[0];
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return code ?? redisCode ?? error.name;
}
