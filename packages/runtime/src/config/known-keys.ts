import { z } from "zod";

/** What is known about one place of a file. */
export interface KnownKey {
  /** Names that may stand below it; `undefined` if it holds a value, or entries with names of their own. */
  readonly names: readonly string[] | undefined;
  readonly example: unknown;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Looks a path up (array indices and names of one's own stand as they are); unknown paths give `undefined`. */
export type KnownKeys = (path: readonly PropertyKey[]) => KnownKey | undefined;

export function knownKeysOf(schema: z.ZodType): KnownKeys {
  const root = jsonSchemaOf(schema);
  return (path) => {
    let place = root;
    for (const step of path) place = below(place, step);
    if (!isObject(place)) return undefined;
    const { properties, examples } = place;
    return {
      names: isObject(properties) ? Object.keys(properties) : undefined,
      example: Array.isArray(examples) ? examples[0] : undefined,
    };
  };
}

/** Every key of the schema as a dotted path, `*` for names of one's own and for list entries. */
export const allKeysOf = (schema: z.ZodType): readonly string[] => keysBelow(jsonSchemaOf(schema), "");

const jsonSchemaOf = (schema: z.ZodType): unknown =>
  z.toJSONSchema(schema, { io: "input", unrepresentable: "any", reused: "inline" });

function keysBelow(place: unknown, prefix: string): readonly string[] {
  if (!isObject(place)) return [];
  const { properties, items, additionalProperties } = place;
  const named = isObject(properties) ? Object.entries(properties) : [];
  const nameless = [items, isObject(properties) ? undefined : additionalProperties].filter(isObject);
  return [...named, ...nameless.map((child): [string, unknown] => ["*", child])].flatMap(([name, child]) => {
    const path = prefix === "" ? name : `${prefix}.${name}`;
    return [...(name === "*" ? [] : [path]), ...keysBelow(child, path)];
  });
}

function below(place: unknown, step: PropertyKey): unknown {
  if (!isObject(place)) return undefined;
  if (typeof step === "number") return place["items"];
  const { properties, additionalProperties } = place;
  return isObject(properties) ? properties[String(step)] : additionalProperties;
}
