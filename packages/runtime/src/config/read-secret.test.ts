import { chmod, mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { readSecret } from "../index.ts";

describe("a secret", () => {
  it("is the text of its file, without the line break an editor adds", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-secret-"));
    const file = join(folder.path, "component.secret");
    await writeFile(file, " sesame\n", { mode: 0o600 });
    expect(await readSecret(file, "ingress.components.0.secretFile")).toEqual({
      text: "sesame",
      readableByOthers: false,
    });
  });

  it.each(["utf8", "utf16le"] as const)("is read without the byte order mark of %s", async (encoding) => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-secret-"));
    const file = join(folder.path, "component.secret");
    await writeFile(file, Buffer.from("\ufeffsesame\r\n", encoding), { mode: 0o600 });
    expect(await readSecret(file, "redis.passwordFile")).toMatchObject({ text: "sesame" });
  });

  it("that every user may read is told as such", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-secret-"));
    const file = join(folder.path, "component.secret");
    await writeFile(file, "sesame");
    await chmod(file, 0o644);
    expect(await readSecret(file, "redis.passwordFile")).toMatchObject({ readableByOthers: true });
  });

  it("that is missing or empty is an error with file and key", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-secret-"));
    const file = join(folder.path, "component.secret");
    await expect(readSecret(file, "redis.passwordFile")).rejects.toThrow(
      `cannot read ${file}, the file that \`redis.passwordFile\` names: there is no such file`,
    );
    await writeFile(file, "\n");
    await expect(readSecret(file, "redis.passwordFile")).rejects.toThrow(
      `${file}, the file that \`redis.passwordFile\` names, is empty`,
    );
    await expect(readSecret(folder.path, "redis.passwordFile")).rejects.toThrow("it is a folder");
  });
});
