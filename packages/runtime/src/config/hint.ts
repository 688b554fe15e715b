import { stringify } from "yaml";

import { type KnownKeys } from "./known-keys.ts";

/** How to mend a value: an example or the keys known, if the schema has any for this place. */
export function exampleHint(keys: KnownKeys, path: readonly PropertyKey[]): string | undefined {
  const known = keys(path);
  if (known?.example !== undefined) {
    const name = path.findLast((step) => typeof step === "string") ?? "";
    const value = JSON.stringify(known.example).replace(/^"([A-Za-z0-9/._-]+)"$/, "$1");
    return `for example: \`${typeof path.at(-1) === "number" ? `- ${value}` : `${name}: ${value}`}\``;
  }
  if (known?.names !== undefined) return `keys known here: ${known.names.join(", ")}`;
  return undefined;
}

/** How to mend an unknown key below `path`: the known one that looks like it, or the list of them. */
export function unknownKeyHint(keys: KnownKeys, path: readonly PropertyKey[], key: string): string {
  const names = keys(path)?.names ?? [];
  const known = names.length === 0 ? "" : `keys known here: ${names.join(", ")}`;
  const [nearest] = names
    .map((name) => ({ name, distance: editDistance(name.toLowerCase(), key.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.max(2, Math.floor(name.length / 3)))
    .toSorted((one, other) => one.distance - other.distance);
  return nearest === undefined ? known : `did you mean \`${nearest.name}\`? ${known}`;
}

/** Levenshtein's distance: insertions, deletions and replacements between two words. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, letter] of from.split("").entries()) {
    const next = [index + 1];
    for (let at = 0; at < to.length; at += 1) {
      const replaced = (row[at] ?? 0) + (letter === to[at] ? 0 : 1);
      next.push(Math.min(replaced, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

export const asYaml = (value: unknown): string => stringify(value, { lineWidth: 0 });
