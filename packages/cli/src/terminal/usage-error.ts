/**
 * The command line asks for something that the command does not do; nothing was done. The process ends with code 2, all other
 * failures with code 1.
 */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
