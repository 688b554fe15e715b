import { execFile } from "node:child_process";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "../main.ts");

const startWith = async (files: number, role: string) =>
  new Promise<{ code: number | null; stderr: string }>((resolve) => {
    const shell = `ulimit -n ${files}; exec "${process.execPath}" "${MAIN}" ${role} --config /nowhere.yaml`;
    const child = execFile("sh", ["-c", shell], { timeout: 60_000 }, (_error, _stdout, stderr) =>
      resolve({ code: child.exitCode, stderr }),
    );
  });

describe("a role", () => {
  it.each(
    ["ingress", "worker", "sidecar", "canary"].flatMap((role) =>
      [30, 48, 64].map((files) => ({ role, files })),
    ),
  )(
    "$role with $files open files says so, with the cure, and exits",
    async ({ role, files }) => {
      const { code, stderr } = await startWith(files, role);
      expect(code).toBe(1);
      expect(stderr).toContain(`may open ${files} files and needs 128`);
      expect(stderr).toContain("LimitNOFILE=65536");
    },
    60_000,
  );

  it("with 128 open files reads its configuration", async () => {
    const { code, stderr } = await startWith(128, "worker");
    expect(code).toBe(1);
    expect(stderr).toContain("/nowhere.yaml");
  }, 60_000);
});
