/** What stands under `name` in something that was parsed; `undefined` if nothing does. */
export function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? new Map(Object.entries(value)).get(name) : undefined;
}

/** The list there; empty if there is none. */
export function at(value: unknown, name: string): readonly unknown[] {
  const found = field(value, name);
  return Array.isArray(found) ? found : [];
}

/** The text there; empty if there is none. */
export function textAt(value: unknown, name: string): string {
  const found = field(value, name);
  return typeof found === "string" ? found : "";
}
