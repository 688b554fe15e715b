import stripJsonComments from "strip-json-comments";

/**
 * fpush's settings.json as far as it concerns us. Its keys are those of the structs in its source: `fpush/src/config`,
 * `fpush-push/src/fpush_config.rs`, and `config.rs` of `fpush-apns`, `fpush-fcm`, `fpush-ratelimit`, `fpush-tokenblocker`.
 */
export interface FpushSettings {
  readonly component: {
    readonly hostname: string;
    readonly key: string;
    readonly server: string;
    readonly port: number;
  };
  readonly modules: readonly FpushModule[];
  /** Entries below `pushModules` that cannot be taken over, each with what is wrong. */
  readonly unusable: readonly string[];
  /** Dotted paths that neither fpush's documentation nor its source knows, or that have no meaning for us. */
  readonly ignored: readonly string[];
}

export interface FpushModule {
  readonly name: string;
  readonly isDefault: boolean;
  readonly service: FpushService;
  /** As fpush writes durations, e.g. `20s` or `1m 30s`. */
  readonly window: string;
  readonly isLimited: boolean;
  /** Top-level keys of the payload for Apple. */
  readonly additionalData: Readonly<Record<string, unknown>>;
}

export type FpushService =
  | {
      readonly kind: "apple";
      /** PKCS #12. */
      readonly file: string;
      readonly password: string;
      readonly topic: string;
      readonly sandbox: boolean;
    }
  /** `file`: of a service account. fpush's documentation calls the type `fcm`, its source `google`. */
  | { readonly kind: "google"; readonly file: string }
  /** Of a type that is not served here, such as `demo`. */
  | { readonly kind: "other"; readonly type: string };

/**
 * Throws an Error with every mistake that leaves no region to run: of the component, or of all modules. One module with
 * mistakes does not keep the others from being taken over.
 */
export function readSettings(text: string, fileName: string): FpushSettings {
  const reader = new Reader(jsonOf(text, fileName));
  const settings = {
    component: {
      hostname: reader.text(["component", "componentHostname"]),
      key: reader.text(["component", "componentKey"]),
      server: reader.text(["component", "serverHostname"]),
      port: reader.port(["component", "serverPort"]),
    },
  };
  const names = reader.names(["pushModules"]);
  const fatal = reader.takeMistakes();
  const read = names.map((name) => ({
    name,
    module: moduleOf(reader, name),
    mistakes: reader.takeMistakes(),
  }));
  const unusable = read.flatMap(({ name, mistakes }) =>
    mistakes.length === 0 ? [] : [`module ${name} is left out: ${mistakes.join("; ")}`],
  );
  const modules = read.flatMap(({ module, mistakes }) => (mistakes.length === 0 ? [module] : []));
  const all = [...fatal, ...(modules.length === 0 ? unusable : [])];
  if (all.length > 0) throw new Error(`${fileName}: ${all.join("; ")}`);
  return { ...settings, modules, unusable, ignored: reader.unread() };
}

function moduleOf(reader: Reader, name: string): FpushModule {
  const at = ["pushModules", name];
  return {
    name,
    service: serviceOf(reader, at),
    isDefault: reader.flag([...at, "is_default_module"], false),
    window: reader.text([...at, "ratelimit", "ratelimitTime"], "20s"),
    isLimited: reader.flag([...at, "ratelimit", "enabled"], true),
    additionalData: reader.record([...at, "apns", "additionalData"]),
  };
}

function serviceOf(reader: Reader, at: Path): FpushService {
  const type = reader.text([...at, "type"]);
  if (type === "fcm" || type === "google") {
    return { kind: "google", file: reader.text([...at, "fcm", "fcmSecretPath"]) };
  }
  if (type !== "apple") return { kind: "other", type };
  return {
    kind: "apple",
    file: reader.text([...at, "apns", "certFilePath"]),
    password: reader.text([...at, "apns", "certPassword"]),
    topic: reader.text([...at, "apns", "topic"]),
    sandbox: reader.oneOf([...at, "apns", "environment"], ["production", "sandbox"]) === "sandbox",
  };
}

function jsonOf(text: string, fileName: string): unknown {
  try {
    return JSON.parse(stripJsonComments(text.replace(/^\uFEFF/, ""), { trailingCommas: true }));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replaceAll(/\s+/g, " ") : String(cause);
    throw new Error(
      `${fileName} is no JSON, even without its comments: ${why}; replace placeholders such as <XMPP-Server Component Port>`,
      { cause },
    );
  }
}

/** Names of keys, the outermost first: a name may hold a dot. */
type Path = readonly string[];

const dotted = (path: Path): string => path.join(".");

/** As in fpush's README: `<app bundle id>`. */
const PLACEHOLDER = /^<.*>$/;

/** Takes values by their path, and remembers what was taken and what was missing. */
class Reader {
  #mistakes: string[] = [];
  readonly #root: unknown;
  readonly #read = new Set<string>();

  constructor(root: unknown) {
    this.#root = root;
  }

  text(path: Path, otherwise?: string): string {
    const value = this.#take(path);
    if (typeof value === "string" && PLACEHOLDER.test(value)) {
      this.#mistakes.push(`${dotted(path)} is still the placeholder ${value}`);
      return "";
    }
    if (typeof value === "string") return value;
    if (value === undefined && otherwise !== undefined) return otherwise;
    this.#mistakes.push(`${dotted(path)} ${value === undefined ? "is missing" : "must be a text"}`);
    return "";
  }

  /** Default: the first one. */
  oneOf(path: Path, values: readonly [string, ...string[]]): string {
    const value = this.text(path, values[0]);
    if (values.includes(value)) return value;
    this.#mistakes.push(`${dotted(path)} must be ${values.join(" or ")}`);
    return values[0];
  }

  port(path: Path): number {
    const value = this.#take(path);
    if (typeof value === "number" && Number.isInteger(value) && value > 0 && value < 65_536) return value;
    this.#mistakes.push(`${dotted(path)} ${value === undefined ? "is missing" : "must be a port"}`);
    return 0;
  }

  flag(path: Path, otherwise: boolean): boolean {
    const value = this.#take(path);
    if (typeof value === "boolean") return value;
    if (value !== undefined) this.#mistakes.push(`${dotted(path)} must be true or false`);
    return otherwise;
  }

  names(path: Path): readonly string[] {
    const value = valueAt(this.#root, path);
    if (isRecord(value) && Object.keys(value).length > 0) return Object.keys(value);
    this.#mistakes.push(`${dotted(path)} must hold at least one module`);
    return [];
  }

  /** `null` is none: fpush's is an `Option`. All that is below it is taken. */
  record(path: Path): Readonly<Record<string, unknown>> {
    const value = this.#take(path);
    if (isRecord(value)) {
      for (const leaf of leavesOf(value, path)) this.#read.add(leaf);
      return value;
    }
    if (value !== undefined && value !== null)
      this.#mistakes.push(`${dotted(path)} must hold keys and values`);
    return {};
  }

  /** Those since this was asked last. */
  takeMistakes(): readonly string[] {
    const mistakes = this.#mistakes;
    this.#mistakes = [];
    return mistakes;
  }

  /** Paths of all values that nobody has asked for. */
  unread(): readonly string[] {
    return leavesOf(this.#root, []).filter((path) => !this.#read.has(path));
  }

  #take(path: Path): unknown {
    this.#read.add(dotted(path));
    return valueAt(this.#root, path);
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const valueAt = (root: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, name) => (isRecord(value) ? value[name] : undefined), root);

const leavesOf = (value: unknown, path: Path): readonly string[] =>
  isRecord(value)
    ? Object.entries(value).flatMap(([name, below]) => leavesOf(below, [...path, name]))
    : [dotted(path)];
