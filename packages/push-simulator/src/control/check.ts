/**
 * Says whether foreign JSON is a `T`; writes what is wrong with it, and where, into `problems`. The types tie
 * each check to the whole of its `T`: a new field that is not checked does not compile.
 */
export type Check<T> = (value: unknown, at: string, problems: string[]) => value is T;

interface Optional<T> {
  readonly optional: Check<T>;
}

type FieldChecks<T> = {
  readonly [Field in keyof T]-?: object extends Pick<T, Field>
    ? Optional<Exclude<T[Field], undefined>>
    : Check<T[Field]>;
};

/** Writes down that something else was expected; false, so that a check can end with it. */
export const complain = (at: string, wanted: string, problems: string[]): false => {
  problems.push(`${at}: ${wanted} expected`);
  return false;
};

export const isText: Check<string> = (value, at, problems): value is string =>
  typeof value === "string" || complain(at, "text", problems);

export const isNumber: Check<number> = (value, at, problems): value is number =>
  (typeof value === "number" && Number.isFinite(value) && value >= 0) ||
  complain(at, "a number, not negative,", problems);

/** A whole number from `from` to `to`. */
export const isWithin =
  (from: number, to: number): Check<number> =>
  (value, at, problems): value is number =>
    (typeof value === "number" && Number.isInteger(value) && value >= from && value <= to) ||
    complain(at, `a whole number from ${from} to ${to}`, problems);

export const isCount = isWithin(0, 2 ** 31 - 1);

export const isFlag: Check<boolean> = (value, at, problems): value is boolean =>
  typeof value === "boolean" || complain(at, "true or false", problems);

export const optional = <T>(check: Check<T>): Optional<T> => ({ optional: check });

export const oneOf =
  <const T extends string>(...words: readonly T[]): Check<T> =>
  (value, at, problems): value is T =>
    words.some((word) => word === value) || complain(at, words.join(" or "), problems);

export const either =
  <One, Other>(one: Check<One>, other: Check<Other>): Check<One | Other> =>
  (value, at, problems): value is One | Other =>
    one(value, at, []) || other(value, at, problems);

export const listOf =
  <T>(item: Check<T>): Check<readonly T[]> =>
  (value, at, problems): value is readonly T[] =>
    Array.isArray(value)
      ? value.every((one: unknown, index) => item(one, `${at}[${index}]`, problems))
      : complain(at, "a list", problems);

/** An object with these fields and no others. */
export const shape =
  <T>(fields: FieldChecks<T>): Check<T> =>
  (value, at, problems): value is T => {
    const record = recordOf(value);
    return record === undefined ? complain(at, "an object", problems) : fits(record, fields, at, problems);
  };

/** A union whose members are told apart by `kind`: for each kind its other fields. */
export const oneOfKind =
  <T extends { readonly kind: string }>(kinds: {
    readonly [Kind in T["kind"]]: FieldChecks<Omit<Extract<T, { readonly kind: Kind }>, "kind">>;
  }): Check<T> =>
  (value, at, problems): value is T => {
    const { kind, ...record } = recordOf(value) ?? {};
    const fields = new Map<unknown, object>(Object.entries(kinds)).get(kind);
    if (fields !== undefined) return fits(record, fields, at, problems);
    return complain(`${at}.kind`, Object.keys(kinds).join(" or "), problems);
  };

function fits(
  record: Readonly<Record<string, unknown>>,
  fields: object,
  at: string,
  problems: string[],
): boolean {
  const checks = new Map<string, Check<unknown> | Optional<unknown>>(Object.entries(fields));
  const strange = Object.keys(record).filter((key) => !checks.has(key));
  for (const key of strange) problems.push(`${at}.${key}: no such field`);
  const known = [...checks].map(([key, check]) => {
    if (typeof check === "function") return check(record[key], `${at}.${key}`, problems);
    return record[key] === undefined || check.optional(record[key], `${at}.${key}`, problems);
  });
  return strange.length === 0 && known.every(Boolean);
}

/** The fields of a JSON object; `undefined` for everything else. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}
