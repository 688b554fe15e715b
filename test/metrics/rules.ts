import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

import { at, field, textAt } from "./fields.ts";

export const PROMETHEUS = join(import.meta.dirname, "../../deploy/prometheus");

/** A rule of deploy/prometheus/rules; `name` of the alert, or of the series it records. */
export interface Rule {
  readonly kind: "alert" | "record";
  readonly name: string;
  readonly expression: string;
  readonly severity: string;
  readonly runbook: string;
  /** As text, e.g. `1m`; empty if it fires at once. */
  readonly pending: string;
}

/** A case of deploy/prometheus/tests: how many alerts of this name it expects. */
export interface RuleTest {
  readonly alert: string;
  readonly expected: number;
}

export const ruleFiles = (): readonly string[] => globSync(join(PROMETHEUS, "rules/*.yml")).toSorted();
export const testFiles = (): readonly string[] => globSync(join(PROMETHEUS, "tests/*.test.yml")).toSorted();

export const rules = (): readonly Rule[] =>
  ruleFiles()
    .flatMap((file) => at(read(file), "groups"))
    .flatMap((group) => at(group, "rules"))
    .map((rule) => ({
      kind: textAt(rule, "alert") === "" ? "record" : "alert",
      name: textAt(rule, "alert") || textAt(rule, "record"),
      expression: textAt(rule, "expr"),
      pending: textAt(rule, "for"),
      severity: textAt(field(rule, "labels"), "severity"),
      runbook: textAt(field(rule, "annotations"), "runbook"),
    }));

export const ruleTests = (): readonly RuleTest[] =>
  testFiles()
    .flatMap((file) => at(read(file), "tests"))
    .flatMap((test) => at(test, "alert_rule_test"))
    .map((one) => ({ alert: textAt(one, "alertname"), expected: at(one, "exp_alerts").length }));

const read = (file: string): unknown => parse(readFileSync(file, "utf8"));
