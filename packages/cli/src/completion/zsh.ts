import { allOf, type Described } from "../command-line/described.ts";

/** For a file `_reveille` in `fpath`, or for `source` after `compinit`. */
export function zshCompletion(reveille: Described): string {
  const groups = allOf(reveille).filter(({ commands }) => commands.length > 0);
  const steps = groups.flatMap(({ path, commands }) =>
    commands.map((command) => quoted(`${path.join(" ")} ${command.path.at(-1)}`)),
  );
  const cases = allOf(reveille).map(({ path, commands, options }) => {
    const candidates = [
      ...commands.map((one) => item(one.path.at(-1) ?? "", one.description)),
      ...options.map(({ long, description }) => item(long, description)),
    ];
    return `    ${quoted(path.join(" "))}) candidates=(${candidates.join(" ")}) ;;`;
  });
  return `#compdef reveille
# zsh completion of reveille; made by: reveille completion zsh
_reveille() {
  local at='' word
  local -a candidates
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$at $word" in
      ${steps.join("|")}) at="\${at:+$at }$word" ;;
    esac
  done
  case "$at" in
${cases.join("\n")}
  esac
  _describe 'reveille' candidates || _files
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _reveille "$@"; else compdef _reveille reveille; fi
`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A colon parts name and description. */
const item = (name: string, description: string): string =>
  quoted(`${name}:${description.replaceAll(":", "\\:")}`);
