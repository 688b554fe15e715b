import { type Described } from "../command-line/described.ts";
import { bashCompletion } from "../completion/bash.ts";
import { fishCompletion } from "../completion/fish.ts";
import { zshCompletion } from "../completion/zsh.ts";
import { manPage } from "../man-page.ts";
import { VERSION } from "../version.ts";

const COMPLETIONS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** `reveille completion`. */
export function printCompletion(shell: keyof typeof COMPLETIONS, reveille: Described): void {
  process.stdout.write(COMPLETIONS[shell](reveille));
}

/** `reveille man`. */
export function printManual(reveille: Described): void {
  process.stdout.write(manPage(reveille, VERSION));
}
