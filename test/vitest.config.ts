import { availableParallelism } from "node:os";
import { join } from "node:path";

import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";

import { MAIN_PROMISES, SLOW_UNITS } from "./tiers.ts";

/** How long a test waits for something on a busy machine; how long a test may take in all is no claim either. */
const BASE = {
  setupFiles: [join(import.meta.dirname, "patience.ts")],
  expect: { poll: { timeout: 20_000 } },
  testTimeout: 300_000,
  hookTimeout: 180_000,
};
const UNIT = [
  "packages/*/src/**/*.test.ts",
  "test/*.test.ts",
  "test/load/**/*.test.ts",
  "test/deploy/*.test.ts",
];
/** What has figures that another test on the same machine would spoil. */
const MEASURED = [
  "test/cluster/flood.test.ts",
  "test/cluster/flood-front.test.ts",
  "test/cluster/front-attack.test.ts",
  "test/cluster/front-interop.test.ts",
  "test/cluster/health.test.ts",
  "test/cluster/strangers.test.ts",
  "test/durability/outage.test.ts",
  "test/durability/overload.test.ts",
];
const ENDURANCE = ["test/durability/idle.test.ts", "test/durability/soak.test.ts"];

type Options = TestProjectInlineConfiguration["test"];

/** A group of tests; groups run one after the other, in the order in which they are listed. */
const group = (options: Options, index: number): TestProjectInlineConfiguration => ({
  test: { ...BASE, sequence: { groupOrder: index }, ...options },
});
const IN_PARALLEL = { maxWorkers: availableParallelism() };
const ONE_BY_ONE = { fileParallelism: false };

/** docs/CONTRIBUTING.md says which command runs which group. */
export default defineConfig({
  root: join(import.meta.dirname, ".."),
  test: {
    reporters: ["default", "./test/count-reporter.ts"],
    projects: [
      {
        ...IN_PARALLEL,
        name: "unit",
        include: UNIT,
        exclude: SLOW_UNITS,
        testTimeout: 60_000,
        hookTimeout: 60_000,
      },
      { ...IN_PARALLEL, name: "promises", include: MAIN_PROMISES },
      { ...IN_PARALLEL, name: "slow", include: SLOW_UNITS },
      { ...ONE_BY_ONE, name: "cluster", include: ["test/cluster/*.test.ts"], exclude: MEASURED },
      { ...IN_PARALLEL, name: "boot", include: ["test/deploy/boot/*.test.ts"] },
      {
        ...ONE_BY_ONE,
        name: "durability",
        include: ["test/durability/*.test.ts"],
        exclude: [...MEASURED, ...ENDURANCE],
      },
      { ...ONE_BY_ONE, name: "measured", include: MEASURED },
      // Of tests that may run at once: each has hosts and users' servers of its own, and little load.
      {
        ...ONE_BY_ONE,
        name: "failover",
        include: ["test/failover/*.test.ts"],
        maxConcurrency: 3,
        testTimeout: 600_000,
      },
      { ...ONE_BY_ONE, name: "fresh", include: ["test/fresh/*.test.ts"], testTimeout: 1_200_000 },
      { ...ONE_BY_ONE, name: "endurance", include: ENDURANCE },
      { ...ONE_BY_ONE, name: "clients", include: ["test/clients/*.test.ts"], testTimeout: 600_000 },
    ].map(group),
  },
});
