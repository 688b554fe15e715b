import { type Described } from "../documents/described.ts";
import { quoted, walkTo } from "./walk.ts";

/** For `source` in bash 4 and later; file names complete where no command is expected. */
export const bashCompletion = (
  reveille: Described,
): string => `# bash completion of reveille; made by: reveille completion bash
_reveille() {
  local at="" word words=""
${walkTo(reveille, "${COMP_WORDS[@]:1:COMP_CWORD-1}", candidatesAt)}
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}")
}
complete -o default -F _reveille reveille
`;

const candidatesAt = ({ commands, options }: Described): string =>
  `words=${quoted([...commands.map(({ path }) => path.at(-1)), ...options.map(({ long }) => long)].join(" "))}`;
