import { type Document, isScalar, type Scalar, visit } from "yaml";
import { type core, type z } from "zod";

/** What to say of a text that YAML takes for something else since it has no quotes (YAML 1.2.2 §10.3.2). */
export interface Unquoted {
  /** As it is written. */
  readonly source: string;
  readonly message: string;
  readonly hint: string;
}

/** Of the value at `path`, where a text is expected; `undefined` if it is no such value. */
export function unquotedAt(document: Document, path: readonly PropertyKey[]): Unquoted | undefined {
  const node = document.getIn(path, true);
  const name = path.findLast((key) => typeof key === "string");
  return isScalar(node)
    ? unquoted(node, (quoted) => (name === undefined ? quoted : `${name}: ${quoted}`))
    : undefined;
}

/** Of the keys of all tables: YAML would call a module `0x12` 18. */
export function unquotedKeys(
  document: Document,
): readonly (Unquoted & { readonly key: string; readonly offset: number })[] {
  const found: (Unquoted & { readonly key: string; readonly offset: number })[] = [];
  visit(document, {
    Pair: (_key, { key }) => {
      if (!isScalar(key)) return;
      const mistake = unquoted(key, (quoted) => `${quoted}:`);
      if (mistake !== undefined)
        found.push({ ...mistake, key: key.source ?? "", offset: key.range?.[0] ?? 0 });
    },
  });
  return found;
}

function unquoted({ value, source = "" }: Scalar, cure: (quoted: string) => string): Unquoted | undefined {
  if (typeof value === "string" || source === "") return undefined;
  return {
    source,
    message: `is text, but YAML reads ${source} without quotes as ${kindOf(value)}`,
    hint: `put it in quotes: \`${cure(JSON.stringify(source))}\``,
  };
}

function kindOf(value: unknown): string {
  if (value === null) return "nothing (null)";
  if (typeof value === "number" || typeof value === "bigint") return `the number ${value}`;
  if (typeof value === "boolean") return `yes or no (${value})`;
  return "something else";
}

/** What a schema has against the value at `path` once that is the text `source`: quotes are no cure for the unit that is missing. */
export function withText(
  schema: z.ZodType,
  raw: unknown,
  path: readonly PropertyKey[],
  source: string,
): readonly core.$ZodIssue[] {
  const isThere = (other: readonly PropertyKey[]): boolean => JSON.stringify(other) === JSON.stringify(path);
  const { error } = schema.safeParse(replaced(raw, path, source));
  return error?.issues.filter((issue) => isThere(issue.path)) ?? [];
}

function replaced(value: unknown, [first, ...rest]: readonly PropertyKey[], source: string): unknown {
  if (first === undefined) return source;
  if (Array.isArray(value))
    return value.map((one: unknown, index) => (index === first ? replaced(one, rest, source) : one));
  if (typeof value !== "object" || value === null) return value;
  const entries: readonly (readonly [string, unknown])[] = Object.entries(value);
  return Object.fromEntries(
    entries.map(([key, one]) => [key, key === first ? replaced(one, rest, source) : one]),
  );
}
