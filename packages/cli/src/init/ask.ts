import { createInterface } from "node:readline/promises";

import { type Question } from "./questions.ts";
import { UsageError } from "../terminal/usage-error.ts";

/** Gets answers; disposing lets go of the input. */
export interface Asker extends Disposable {
  /** An answer that the question accepts. Throws when none can be had. */
  readonly ask: (question: Question) => Promise<string>;
}

/** Asks people on `output`, again until the answer is accepted. Throws at the end of the input. */
export function askPeople(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Asker {
  const lines = createInterface({ input });
  // Lines that come together, as from a file, would be lost between two calls of `question()`.
  const answers = lines[Symbol.asyncIterator]();
  return {
    ask: async (question) => {
      const { text, accepts, wanted, otherwise } = question;
      for (;;) {
        output.write(otherwise === undefined ? `${text}: ` : `${text} [${otherwise}]: `);
        const { done, value } = await answers.next();
        if (done === true)
          throw new UsageError(`no answer to: ${text}; without a terminal give options and --yes`);
        const answer = value.trim() === "" ? (otherwise ?? "") : value.trim();
        if (accepts(answer)) return answer;
        output.write(`  must be ${wanted}\n`);
      }
    },
    [Symbol.dispose]: () => lines.close(),
  };
}

/** Takes the default of every question; throws for one that has none. */
export const askNobody: Asker = {
  ask: ({ text, otherwise, wanted }) =>
    otherwise === undefined
      ? Promise.reject(new UsageError(`with --yes an option must answer: ${text} (${wanted})`))
      : Promise.resolve(otherwise),
  [Symbol.dispose]: () => undefined,
};
