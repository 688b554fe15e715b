/** An object that remembers which of its fields somebody has read, at any depth. */
export interface Watched {
  readonly watched: object;
  /** Paths of the fields that nobody has read so far. */
  readonly unread: () => readonly string[];
}

/**
 * The validators let fields pass that they don't know, as OpenAPI has it. But they read those that they know, so what they
 * leave unread is a mistake.
 */
export function untouched(value: object): Watched {
  const read = new Set<string>();
  return {
    watched: watch(value, "", read),
    unread: () => pathsIn(value, "").filter((path) => !read.has(path)),
  };
}

function watch(value: object, path: string, read: Set<string>): object {
  return new Proxy(value, {
    // Who copies plain objects shall not copy this one, since that reads all of it: it says that it is a Map.
    getPrototypeOf: (target) => (Array.isArray(target) ? Array.prototype : Map.prototype),
    get: (target, key) => {
      const field: unknown = Reflect.get(target, key);
      if (typeof key === "symbol" || !Object.hasOwn(target, key)) return field;
      const below = `${path}.${key}`;
      read.add(below);
      return isObject(field) ? watch(field, below, read) : field;
    },
  });
}

const pathsIn = (value: object, path: string): readonly string[] =>
  Object.entries(value).flatMap(([key, field]: readonly [string, unknown]) => {
    const below = `${path}.${key}`;
    return [below, ...(isObject(field) ? pathsIn(field, below) : [])];
  });

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
