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
  /** `apple`; others are not served here. */
  readonly type: string;
  readonly isDefault: boolean;
  readonly apns: {
    readonly file: string;
    readonly password: string;
    readonly topic: string;
    readonly sandbox: boolean;
  };
  /** As fpush writes durations, e.g. `20s` or `1m 30s`. */
  readonly window: string;
  readonly isLimited: boolean;
}

/** Throws an Error with every mistake, each with its place. */
export function readSettings(text: string, fileName: string): FpushSettings {
  const reader = new Reader(jsonOf(text, fileName));
  const settings = {
    component: {
      hostname: reader.text("component.componentHostname"),
      key: reader.text("component.componentKey"),
      server: reader.text("component.serverHostname"),
      port: reader.port("component.serverPort"),
    },
    modules: reader.names("pushModules").map((name) => moduleOf(reader, name)),
  };
  if (reader.mistakes.length > 0) throw new Error(`${fileName}: ${reader.mistakes.join("; ")}`);
  return { ...settings, ignored: reader.unread() };
}

function moduleOf(reader: Reader, name: string): FpushModule {
  const at = `pushModules.${name}`;
  const type = reader.text(`${at}.type`);
  const isApple = type === "apple";
  return {
    name,
    type,
    isDefault: reader.flag(`${at}.is_default_module`, false),
    apns: {
      file: isApple ? reader.text(`${at}.apns.certFilePath`) : "",
      password: isApple ? reader.text(`${at}.apns.certPassword`) : "",
      topic: isApple ? reader.text(`${at}.apns.topic`) : "",
      sandbox: isApple && reader.text(`${at}.apns.environment`, "production") === "sandbox",
    },
    window: reader.text(`${at}.ratelimit.ratelimitTime`, "20s"),
    isLimited: reader.flag(`${at}.ratelimit.enabled`, true),
  };
}

function jsonOf(text: string, fileName: string): unknown {
  try {
    return JSON.parse(stripJsonComments(text, { trailingCommas: true }));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replaceAll(/\s+/g, " ") : String(cause);
    throw new Error(
      `${fileName} is no JSON, even without its comments: ${why}; replace placeholders such as <XMPP-Server Component Port>`,
      { cause },
    );
  }
}

/** Takes values by their dotted path, and remembers what was taken and what was missing. */
class Reader {
  readonly mistakes: string[] = [];
  readonly #root: unknown;
  readonly #read = new Set<string>();

  constructor(root: unknown) {
    this.#root = root;
  }

  text(path: string, otherwise?: string): string {
    const value = this.#take(path);
    if (typeof value === "string") return value;
    if (value === undefined && otherwise !== undefined) return otherwise;
    this.mistakes.push(`${path} ${value === undefined ? "is missing" : "must be a text"}`);
    return "";
  }

  port(path: string): number {
    const value = this.#take(path);
    if (typeof value === "number" && Number.isInteger(value) && value > 0 && value < 65_536) return value;
    this.mistakes.push(`${path} ${value === undefined ? "is missing" : "must be a port"}`);
    return 0;
  }

  flag(path: string, otherwise: boolean): boolean {
    const value = this.#take(path);
    if (typeof value === "boolean") return value;
    if (value !== undefined) this.mistakes.push(`${path} must be true or false`);
    return otherwise;
  }

  names(path: string): readonly string[] {
    const value = valueAt(this.#root, path.split("."));
    if (isRecord(value) && Object.keys(value).length > 0) return Object.keys(value);
    this.mistakes.push(`${path} must hold at least one module`);
    return [];
  }

  /** Paths of all values that nobody has asked for. */
  unread(): readonly string[] {
    return leavesOf(this.#root, []).filter((path) => !this.#read.has(path));
  }

  #take(path: string): unknown {
    this.#read.add(path);
    return valueAt(this.#root, path.split("."));
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const valueAt = (root: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, name) => (isRecord(value) ? value[name] : undefined), root);

const leavesOf = (value: unknown, path: readonly string[]): readonly string[] =>
  isRecord(value)
    ? Object.entries(value).flatMap(([name, below]) => leavesOf(below, [...path, name]))
    : [path.join(".")];
