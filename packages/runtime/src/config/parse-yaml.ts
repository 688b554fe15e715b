import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument, visit } from "yaml";
import { type core, type z } from "zod";

import { exampleHint, unknownKeyHint } from "./hint.ts";
import { type KnownKeys } from "./known-keys.ts";
import { ConfigError, type Mistake } from "./mistake.ts";
import { unquotedAt, unquotedKeys, withText } from "./unquoted.ts";

/** A kind of file that operators write in YAML. */
export interface FileKind<T> {
  readonly schema: z.ZodType<T>;
  /** Of `schema`; asked for only when there is something to mend. */
  readonly known: () => KnownKeys;
  /** A file of the repository that shows every key. */
  readonly exampleFile: string;
  /** Rules between keys that hold before the schema does: zod checks none while any key is wrong. */
  readonly looseRules?: (raw: unknown) => readonly RuleMistake[];
}

/** Something wrong that no single key shows, with the path of the value to mend. */
export interface RuleMistake {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly hint: string;
}

/** A file that is YAML, whatever is in it. */
export interface Yaml {
  readonly document: Document;
  readonly raw: unknown;
  readonly place: PlaceOf;
}

/** Throws a `ConfigError` if it is none. `fileName` only serves the messages: nothing is read. */
export function readYaml(text: string, fileName: string): Yaml {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "error" });
  const place: PlaceOf = (offset) => {
    const { line, col } = lines.linePos(offset);
    return { file: fileName, line, column: col };
  };
  const unreadable = [...document.errors, ...document.warnings];
  if (unreadable.length > 0) {
    throw new ConfigError(
      unreadable.map(({ message, pos }) => ({ ...place(pos[0]), key: "", message, hint: SYNTAX_HINT })),
    );
  }
  const unquoted = unquotedKeys(document).map(({ offset, ...mistake }) => ({ ...place(offset), ...mistake }));
  if (unquoted.length > 0) throw new ConfigError(unquoted);
  return { document, raw: valueOf(document, place), place };
}

/** Throws a `ConfigError` with every mistake; those against `rules` once there are no others. */
export function parseYaml<T>(
  kind: FileKind<T>,
  { document, raw, place }: Yaml,
  rules: (value: T) => readonly RuleMistake[] = () => [],
): T {
  const result = kind.schema.safeParse(raw);
  const told = ({ path, message, hint }: RuleMistake): Mistake => ({
    ...place(valueOffset(document, path)),
    key: dotted(path),
    message,
    hint,
  });
  const loose = (kind.looseRules?.(raw) ?? []).map(told);
  if (result.success && loose.length === 0) {
    const broken = rules(result.data).map(told);
    if (broken.length === 0) return result.data;
    throw new ConfigError(broken);
  }
  const ofSchema =
    result.error?.issues.flatMap((issue) => mistakesOf(issue, { kind, document, raw, place })) ?? [];
  const mistakes = [...ofSchema, ...loose];
  throw new ConfigError(
    mistakes.toSorted((one, other) => one.line - other.line || one.column - other.column),
  );
}

/** The plain value. Aliases are resolved only here: one that is unknown, or that explodes, is a mistake too. */
function valueOf(document: Document, place: PlaceOf): unknown {
  try {
    return document.toJS();
  } catch (error) {
    let at = 0;
    visit(document, {
      Alias: (_key, alias) => {
        if (alias.resolve(document) !== undefined) return undefined;
        at = alias.range?.[0] ?? 0;
        return visit.BREAK;
      },
    });
    const message = error instanceof Error ? error.message : String(error);
    throw new ConfigError([{ ...place(at), key: "", message, hint: SYNTAX_HINT }]);
  }
}

type PlaceOf = (offset: number) => Pick<Mistake, "file" | "line" | "column">;

const SYNTAX_HINT =
  "mend the YAML here first: two spaces for each level, texts with special characters in quotes";

interface Reading extends Yaml {
  readonly kind: FileKind<unknown>;
}

function mistakesOf(issue: core.$ZodIssue, { kind, document, raw, place }: Reading): readonly Mistake[] {
  const { path } = issue;
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      ...place(keyOffset(document, [...path, key])),
      key: dotted([...path, key]),
      message: "is no key of the configuration",
      hint: unknownKeyHint(kind.known(), path, key),
    }));
  }
  const unquoted = unquotedAt(document, path);
  if (issue.code === "invalid_type" && issue.expected === "string" && unquoted !== undefined) {
    const [other] = withText(kind.schema, raw, path, unquoted.source);
    if (other !== undefined) return mistakesOf(other, { kind, document, raw, place });
    const { message, hint } = unquoted;
    return [{ ...place(valueOffset(document, path)), key: dotted(path), message, hint }];
  }
  const missing = issue.code === "invalid_type" && issue.input === undefined && !document.hasIn(path);
  return [
    {
      ...place(offsetOf(issue, missing, document)),
      key: dotted(path),
      message: missing ? "is missing" : messageOf(issue),
      hint: hintOf(issue, missing, kind),
    },
  ];
}

function offsetOf(issue: core.$ZodIssue, missing: boolean, document: Document): number {
  if (missing) return keyOffset(document, issue.path.slice(0, -1));
  return issue.code === "invalid_key" ? keyOffset(document, issue.path) : valueOffset(document, issue.path);
}

function hintOf(issue: core.$ZodIssue, missing: boolean, kind: FileKind<unknown>): string {
  if (issue.code === "invalid_key") return "for example: `monalProdiOS:`";
  const given: unknown = issue.code === "custom" && !missing ? issue.params?.["hint"] : undefined;
  return typeof given === "string"
    ? given
    : (exampleHint(kind.known(), issue.path) ?? `see ${kind.exampleFile}`);
}

function messageOf(issue: core.$ZodIssue): string {
  if (issue.code === "invalid_key") return issue.issues.map(messageOf).join("; ");
  return issue.message.replace(/^Invalid (?:input|option): expected/, "must be");
}

const dotted = (path: readonly PropertyKey[]): string => path.map(String).join(".");

function valueOffset(document: Document, path: readonly PropertyKey[]): number {
  const node = document.getIn(path, true);
  return isNode(node) && node.range ? node.range[0] : keyOffset(document, path);
}

/** Where the last key of `path` stands, or the nearest place above it that exists. */
function keyOffset(document: Document, path: readonly PropertyKey[]): number {
  if (path.length === 0) return document.contents?.range?.[0] ?? 0;
  const above = path.slice(0, -1);
  const parent = above.length === 0 ? document.contents : document.getIn(above, true);
  if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(path.at(-1)));
    if (isScalar(pair?.key) && pair.key.range) return pair.key.range[0];
  }
  return isNode(parent) && parent.range ? parent.range[0] : keyOffset(document, above);
}
