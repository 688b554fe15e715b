import { describeConfig } from "@reveille/runtime";

import { loadConfig } from "../load-config.ts";
import { moduleRules } from "../module-settings.ts";

/** Prints the effective configuration. Throws a `ConfigError` with every mistake. */
export async function checkConfig(file: string): Promise<void> {
  process.stdout.write(describeConfig(await loadConfig(file, moduleRules)));
}
