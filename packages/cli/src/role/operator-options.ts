/** What every command has that an operator runs on a host. */
export interface OperatorOptions {
  /** Path of the host's configuration. */
  readonly config: string;
  /** One JSON object on standard output instead of text. */
  readonly json: boolean;
}
