import { execFile, execFileSync } from "node:child_process";
import { copyFile, mkdir, mkdtempDisposable, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { VERSION } from "../role/version.ts";

const LAUNCHER = join(import.meta.dirname, "../../reveille");
/** The machine's own programs: an old node, or none. */
const env = { PATH: "/usr/bin:/bin" };

const launch = async (launcher: string) =>
  new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(launcher, ["--version"], { env, cwd: "/" }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });

describe("the executable of a checkout", () => {
  it("brings its own Node, from wherever it is called and by whatever link", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-launcher-"));
    const link = join(folder.path, "reveille");
    await symlink(LAUNCHER, link);
    expect(await launch(link)).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: "" });
  });

  it("says what it needs and how to get it, in a checkout that nobody has set up", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-launcher-"));
    const launcher = join(folder.path, "packages/cli/reveille");
    await mkdir(join(folder.path, "packages/cli"), { recursive: true });
    await copyFile(LAUNCHER, launcher);
    const { code, stderr } = await launch(launcher);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `reveille: needs Node 24, which comes with its dependencies; fetch them: sh ${folder.path}/deploy/local/setup.sh\n`,
    );
  });

  it("is what the script of the workspace runs", () => {
    const npm = execFileSync("npm", ["run", "reveille", "--", "--version"], {
      cwd: join(import.meta.dirname, "../../../.."),
      encoding: "utf8",
    });
    expect(npm).toBe(`${VERSION}\n`);
  });
});
