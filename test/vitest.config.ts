import { availableParallelism } from "node:os";
import { join } from "node:path";

import { defineConfig } from "vitest/config";

/**
 * Five tiers. `unit`: seconds, one private server per file at most. `cluster`: whole regions of real processes, one
 * file at a time, since each fills the machine. `boot`: a host with systemd in a
 * container, which needs root; not part of `npm test`. `durability`: processes are killed at random and servers fail over, at
 * a pace that needs the machine for itself; not part of `npm test`. `failover`: two hosts of a region as network namespaces,
 * which needs root; likewise apart.
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
        },
      },
      {
        test: {
          name: "durability",
          include: ["test/durability/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
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
