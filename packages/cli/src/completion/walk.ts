import { allOf, type Described } from "../documents/described.ts";

/** A text as one word of a shell. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * What bash and zsh alike do: goes through `words`, those that are typed already, to the command that they name, and sets
 * there what `candidatesAt` says.
 */
export function walkTo(
  reveille: Described,
  words: string,
  candidatesAt: (command: Described) => string,
): string {
  const steps = allOf(reveille).flatMap(({ path, commands }) =>
    commands.map((command) => quoted(`${path.join(" ")} ${command.path.at(-1)}`)),
  );
  const cases = allOf(reveille).map(
    (command) => `    ${quoted(command.path.join(" "))}) ${candidatesAt(command)} ;;`,
  );
  return `  for word in "${words}"; do
    case "$at $word" in
      ${steps.join("|")}) at="\${at:+$at }$word" ;;
    esac
  done
  case "$at" in
${cases.join("\n")}
  esac`;
}
