import { type Described } from "../documents/described.ts";
import { quoted, walkTo } from "./walk.ts";

/** For a file `_reveille` in `fpath`, or for `source` after `compinit`. */
export const zshCompletion = (reveille: Described): string => `#compdef reveille
# zsh completion of reveille; made by: reveille completion zsh
_reveille() {
  local at='' word
  local -a candidates
${walkTo(reveille, "${(@)words[2,CURRENT-1]}", candidatesAt)}
  _describe 'reveille' candidates || _files
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _reveille "$@"; else compdef _reveille reveille; fi
`;

const candidatesAt = ({ commands, options }: Described): string =>
  `candidates=(${[
    ...commands.map(({ path, description }) => item(path.at(-1) ?? "", description)),
    ...options.map(({ long, description }) => item(long, description)),
  ].join(" ")})`;

/** A colon parts name and description. */
const item = (name: string, description: string): string =>
  quoted(`${name}:${description.replaceAll(":", "\\:")}`);
