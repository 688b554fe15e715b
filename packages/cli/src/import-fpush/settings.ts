import stripJsonComments from "strip-json-comments";

/** fpush's settings.json as far as it concerns us (fpush 42359ca: `fpush/src/config`, `fpush-push`, `fpush-apns`). */
export interface FpushSettings {
  readonly component: {
    readonly hostname: string;
    readonly key: string;
    readonly server: string;
    readonly port: number;
  };
  readonly modules: readonly FpushModule[];
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

/** Throws an Error with every mistake, each with its place. */
export function readSettings(text: string, fileName: string): FpushSettings {
  const reader = new Reader(jsonOf(text, fileName));
  const settings = {
    component: {
      hostname: reader.text(["component", "componentHostname"]),
      key: reader.text(["component", "componentKey"]),
      server: reader.text(["component", "serverHostname"]),
      port: reader.port(["component", "serverPort"]),
    },
    modules: reader.names(["pushModules"]).map((name) => moduleOf(reader, name)),
  };
  if (reader.mistakes.length > 0) throw new Error(`${fileName}: ${reader.mistakes.join("; ")}`);
  return { ...settings, ignored: reader.unread() };
}

function moduleOf(reader: Reader, name: string): FpushModule {
  const at = ["pushModules", name];
  return {
    name,
    service: serviceOf(reader, at),
    isDefault: reader.flag([...at, "is_default_module"], false),
    window: reader.text([...at, "ratelimit", "ratelimitTime"], "20s"),
    isLimited: reader.flag([...at, "ratelimit", "enabled"], true),
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
    sandbox: reader.text([...at, "apns", "environment"], "production") === "sandbox",
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
  readonly mistakes: string[] = [];
  readonly #root: unknown;
  readonly #read = new Set<string>();

  constructor(root: unknown) {
    this.#root = root;
  }

  text(path: Path, otherwise?: string): string {
    const value = this.#take(path);
    if (typeof value === "string" && PLACEHOLDER.test(value)) {
      this.mistakes.push(`${dotted(path)} is still the placeholder ${value}`);
      return "";
    }
    if (typeof value === "string") return value;
    if (value === undefined && otherwise !== undefined) return otherwise;
    this.mistakes.push(`${dotted(path)} ${value === undefined ? "is missing" : "must be a text"}`);
    return "";
  }

  port(path: Path): number {
    const value = this.#take(path);
    if (typeof value === "number" && Number.isInteger(value) && value > 0 && value < 65_536) return value;
    this.mistakes.push(`${dotted(path)} ${value === undefined ? "is missing" : "must be a port"}`);
    return 0;
  }

  flag(path: Path, otherwise: boolean): boolean {
    const value = this.#take(path);
    if (typeof value === "boolean") return value;
    if (value !== undefined) this.mistakes.push(`${dotted(path)} must be true or false`);
    return otherwise;
  }

  names(path: Path): readonly string[] {
    const value = valueAt(this.#root, path);
    if (isRecord(value) && Object.keys(value).length > 0) return Object.keys(value);
    this.mistakes.push(`${dotted(path)} must hold at least one module`);
    return [];
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
