import { type Described } from "../documents/described.ts";
import { bashCompletion } from "../completion/bash.ts";
import { fishCompletion } from "../completion/fish.ts";
import { zshCompletion } from "../completion/zsh.ts";
import { manPage } from "../documents/man-page.ts";
import { VERSION } from "../role/version.ts";

const COMPLETIONS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** `reveille completion`. */
export function printCompletion(shell: keyof typeof COMPLETIONS, reveille: Described): void {
  process.stdout.write(COMPLETIONS[shell](reveille));
}

/** `reveille man`. */
export function printManual(reveille: Described): void {
  process.stdout.write(manPage(reveille, VERSION));
}
