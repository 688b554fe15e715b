import { availableParallelism } from "node:os";
import { join } from "node:path";

import { defineConfig } from "vitest/config";

const ENDURANCE = ["test/durability/idle.test.ts", "test/durability/soak.test.ts"];

/**
 * Six tiers. `unit`: seconds, one private server per file at most. `cluster`: whole regions of real processes, one
 * file at a time, since each fills the machine. `durability`: processes are killed at random, servers fail over, push
 * services are away, load is too much; after the others, since the machine should be its own. `boot`: hosts with
 * systemd in containers, which need root and are skipped without it. These four are `npm test`. `endurance`: what idling
 * costs, and whether memory stays as it is for minutes. `failover`: two hosts of a region as network namespaces, which needs root.
 */
export default defineConfig({
  root: join(import.meta.dirname, ".."),
  test: {
    reporters: ["default", "./test/count-reporter.ts"],
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "packages/*/src/**/*.test.ts",
            "test/*.test.ts",
            "test/load/**/*.test.ts",
            "test/deploy/*.test.ts",
          ],
          testTimeout: 20_000,
          hookTimeout: 20_000,
          maxWorkers: availableParallelism(),
        },
      },
      {
        test: {
          name: "cluster",
          include: ["test/cluster/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "boot",
          include: ["test/deploy/boot/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "durability",
          include: ["test/durability/**/*.test.ts"],
          exclude: ENDURANCE,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "endurance",
          include: ENDURANCE,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: "failover",
          include: ["test/failover/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
