import { readFile } from "node:fs/promises";

import { askRoles, type Config, ConfigError, systemClock } from "@reveille/runtime";
import { seconds } from "@reveille/wakeup";

import { examine } from "../doctor/examine.ts";
import { about, type Finding } from "../doctor/finding.ts";
import { thisMachine } from "../doctor/machine.ts";
import { loadConfig } from "../role/load-config.ts";
import { print } from "../terminal/print.ts";
import { type OperatorOptions } from "../role/operator-options.ts";

export interface DoctorOptions extends OperatorOptions {
  readonly dns: readonly string[];
  readonly ca?: string;
  readonly peer: readonly string[];
}

/** `reveille doctor`: every finding on one screen; exit code 1 if something fails. */
export async function runDoctor(options: DoctorOptions): Promise<void> {
  const findings = await diagnose(options);
  const count = (kind: Finding["kind"]): number => findings.filter((finding) => finding.kind === kind).length;
  const summary = { ok: count("ok"), warn: count("warn"), fail: count("fail"), skipped: count("skipped") };
  const healthy = summary.fail === 0;
  print({ healthy, summary, findings }, describe(findings, summary), options);
  if (!healthy) process.exitCode = 1;
}

async function diagnose(options: DoctorOptions): Promise<readonly Finding[]> {
  const { ok, skipped } = about("configuration");
  try {
    const config = await loadConfig(options.config);
    const rest = await examineHost(config, options);
    return [ok(options.config), ...rest];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const mistakes = error.mistakes.map(({ file, line, key, message, hint }) =>
      about(`${file}:${line}`).fail(key === "" ? message : `${key}: ${message}`, hint),
    );
    return [...mistakes, skipped("nothing else is looked at until it can be read")];
  }
}

async function examineHost(config: Config, options: DoctorOptions): Promise<readonly Finding[]> {
  const roles = await askRoles(
    config.runtimeDir,
    { method: "GET", path: "/report?metrics=none", within: seconds(2) },
    systemClock,
  );
  return examine({
    config,
    clock: systemClock,
    machine: thisMachine,
    roles,
    dnsServers: options.dns,
    authorities: options.ca === undefined ? undefined : await readFile(options.ca, "utf8"),
    peers: options.peer.map((text) => new URL(text)),
    timeout: seconds(10),
  });
}

const SIGNS: Readonly<Record<Finding["kind"], string>> = {
  ok: "ok  ",
  warn: "warn",
  fail: "FAIL",
  skipped: "–   ",
};

function describe(
  findings: readonly Finding[],
  { fail, warn }: { readonly fail: number; readonly warn: number },
): string {
  const lines = findings.flatMap((finding) => {
    const line = `${SIGNS[finding.kind]}  ${finding.item}: ${finding.text}`;
    return "cure" in finding ? [line, `        → ${finding.cure}`] : [line];
  });
  const verdict = fail > 0 ? `${fail} to mend` : "healthy";
  return [...lines, "", warn > 0 ? `${verdict}, ${warn} to look at` : verdict].join("\n");
}
