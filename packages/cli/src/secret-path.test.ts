import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { secretPath } from "./secret-path.ts";

const KEY = "/etc/reveille/apns/AuthKey.p8";

describe("a secret", () => {
  it("is read where systemd put it, if it did", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-credentials-"));
    await writeFile(join(folder.path, "apns_AuthKey.p8"), "");
    expect(secretPath(KEY, folder.path)).toBe(join(folder.path, "apns_AuthKey.p8"));
    expect(secretPath("/etc/reveille/redis/password", folder.path)).toBe("/etc/reveille/redis/password");
  });

  it("is read where the configuration says, without systemd", () => {
    expect(secretPath(KEY, undefined)).toBe(KEY);
  });
});
