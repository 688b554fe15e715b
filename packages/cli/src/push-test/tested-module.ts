import { type Config } from "@reveille/runtime";
import { isPushModule, type PushModule, type TokenKind } from "@reveille/wakeup";
import { UsageError } from "../terminal/usage-error.ts";

/** The module of a test, as the configuration has it. */
export interface TestedModule {
  readonly name: PushModule;
  readonly tokens: TokenKind;
  /** What people call its push service. */
  readonly service: "Apple" | "Google";
}

/** Throws an Error that names the modules there are. */
export function testedModule(name: string, { modules }: Config): TestedModule {
  const module = isPushModule(name) ? modules.get(name) : undefined;
  if (isPushModule(name) && module !== undefined) {
    return module.fcm === undefined
      ? { name, tokens: "apns", service: "Apple" }
      : { name, tokens: "fcm", service: "Google" };
  }
  throw new UsageError(
    `no module ${JSON.stringify(name)}; those of the configuration: ${[...modules.keys()].join(", ")}`,
  );
}
