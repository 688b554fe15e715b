import { allOf, type Described } from "../command-line/described.ts";

/** For `source` in bash 4 and later; file names complete where no command is expected. */
export function bashCompletion(reveille: Described): string {
  const groups = allOf(reveille).filter(({ commands }) => commands.length > 0);
  const steps = groups.flatMap(({ path, commands }) =>
    commands.map((command) => `"${path.join(" ")} ${command.path.at(-1)}"`),
  );
  const cases = allOf(reveille).map(
    ({ path, commands, options }) =>
      `    "${path.join(" ")}") words="${[...commands.map((one) => one.path.at(-1)), ...options.map(({ long }) => long)].join(" ")}" ;;`,
  );
  return `# bash completion of reveille; made by: reveille completion bash
_reveille() {
  local at="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at $word" in
      ${steps.join("|")}) at="\${at:+$at }$word" ;;
    esac
  done
  case "$at" in
${cases.join("\n")}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}")
}
complete -o default -F _reveille reveille
`;
}
