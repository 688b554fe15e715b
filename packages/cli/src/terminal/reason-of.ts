/** The message of an error with what its causes add to it. */
export function reasonOf(error: unknown): string {
  let told = "";
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    // "The operation was aborted" adds nothing to a message that names the time.
    if (cause.name !== "AbortError") told += addedBy(cause, told);
  }
  return told === "" ? String(error) : told;
}

function addedBy(cause: Error, told: string): string {
  if (told === "") return cause.message;
  if (told.includes(cause.message)) return "";
  // The system repeats the path of a file: `ENOENT: no such file or directory, open '/a/b'`.
  const isOfSameFile = "path" in cause && typeof cause.path === "string" && told.includes(cause.path);
  return isOfSameFile && "code" in cause ? ` (${String(cause.code)})` : `: ${cause.message}`;
}
