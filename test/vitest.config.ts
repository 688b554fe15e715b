import { availableParallelism } from "node:os";
import { join } from "node:path";

import { defineConfig } from "vitest/config";

/** What a test waits for may take long on a busy machine; how long a test may take in all is no claim either. */
const PATIENT = {
  setupFiles: [join(import.meta.dirname, "patience.ts")],
  expect: { poll: { timeout: 20_000 } },
};
const ENDURANCE = ["test/durability/idle.test.ts", "test/durability/soak.test.ts"];

/**
 * Eight tiers. `unit`: seconds, one private server per file at most. `cluster`: whole regions of real processes, one
 * file at a time, since each fills the machine. `durability`: processes are killed at random, servers fail over, push
 * services are away, load is too much; one file at a time too. `boot`: hosts with systemd in containers, which need root
 * and are skipped without it. These four are `npm test`. `endurance`: what idling costs, and whether memory stays as it is
 * for minutes. `clients`: other people's APNs and FCM clients at the simulator; they are fetched and built. `failover`: two hosts of a region as
 * network namespaces, which needs root. `fresh`: the first command of the README on bare systems of Debian 12 and 13, which
 * needs root and the network.
 */
export default defineConfig({
  root: join(import.meta.dirname, ".."),
  test: {
    reporters: ["default", "./test/count-reporter.ts"],
    projects: [
      {
        test: {
          ...PATIENT,
          name: "unit",
          include: [
            "packages/*/src/**/*.test.ts",
            "test/*.test.ts",
            "test/load/**/*.test.ts",
            "test/deploy/*.test.ts",
          ],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: availableParallelism(),
        },
      },
      {
        test: {
          ...PATIENT,
          name: "cluster",
          include: ["test/cluster/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          ...PATIENT,
          name: "boot",
          include: ["test/deploy/boot/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...PATIENT,
          name: "durability",
          include: ["test/durability/**/*.test.ts"],
          exclude: ENDURANCE,
          testTimeout: 300_000,
          hookTimeout: 180_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...PATIENT,
          name: "endurance",
          include: ENDURANCE,
          testTimeout: 300_000,
          hookTimeout: 180_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          ...PATIENT,
          name: "clients",
          include: ["test/clients/*.test.ts"],
          testTimeout: 600_000,
        },
      },
      {
        test: {
          ...PATIENT,
          name: "fresh",
          include: ["test/fresh/*.test.ts"],
          testTimeout: 1_200_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          ...PATIENT,
          name: "failover",
          include: ["test/failover/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
