/** One thing wrong in a configuration file, with the place to mend it. */
export interface Mistake {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  /** Dotted path, e.g. `modules.monalProdiOS.apns.topic`; empty for mistakes of syntax. */
  readonly key: string;
  readonly message: string;
  /** How to mend it. */
  readonly hint: string;
}

/** The configuration cannot be used; carries every mistake found, in the order of the file. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[]) {
    super(formatMistakes(mistakes));
    this.mistakes = mistakes;
  }
}

/** Two lines for each mistake: where and what, then how to mend it. */
export const formatMistakes = (mistakes: readonly Mistake[]): string =>
  mistakes.map((mistake) => `${whereAndWhat(mistake)}\n    ${mistake.hint}`).join("\n");

const whereAndWhat = ({ file, line, column, key, message }: Mistake): string =>
  [`${file}:${line}:${column}`, ...(key === "" ? [] : [`${key}:`]), message].join(" ");
