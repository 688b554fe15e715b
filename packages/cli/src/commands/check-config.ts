import { describeCanaryFile, describeConfig, type Machine } from "@reveille/runtime";

import { loadMachine } from "../role/load-config.ts";
import { moduleRules } from "../modules/module-settings.ts";

/** Prints the effective configuration. Throws a `ConfigError` with every mistake. */
export async function checkConfig(file: string): Promise<void> {
  process.stdout.write(describe(await loadMachine(file, moduleRules)));
}

const describe = (machine: Machine): string =>
  machine.kind === "host" ? describeConfig(machine.config) : describeCanaryFile(machine.config);
