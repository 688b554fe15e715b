import { mkdir, mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { secretPath } from "./secret-path.ts";

const KEY = "/etc/reveille/apns/AuthKey.p8";

describe("a secret", () => {
  it("is read where systemd put it, if it did", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-credentials-"));
    await writeFile(join(folder.path, "apns_AuthKey.p8"), "");
    const places = { copies: folder.path, renewed: join(folder.path, "none") };
    expect(secretPath(KEY, places)).toBe(join(folder.path, "apns_AuthKey.p8"));
    expect(secretPath("/etc/reveille/redis/password", places)).toBe("/etc/reveille/redis/password");
  });

  it("is read where the newest reload that renewed it put it", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-credentials-"));
    const places = { copies: join(folder.path, "copies"), renewed: join(folder.path, "renewed") };
    for (const [number, name] of [
      ["2", "apns_AuthKey.p8"],
      ["9", "apns_AuthKey.p8"],
      ["10", "apns_other.p8"],
      ["11.new", "apns_AuthKey.p8"],
    ] as const) {
      await mkdir(join(places.renewed, number), { recursive: true });
      await writeFile(join(places.renewed, number, name), "");
    }
    expect(secretPath(KEY, places)).toBe(join(places.renewed, "9", "apns_AuthKey.p8"));
    expect(secretPath(KEY, { ...places, copies: undefined })).toBe(KEY);
  });

  it("is read where the configuration says, without systemd", () => {
    expect(secretPath(KEY, { copies: undefined, renewed: "/nowhere" })).toBe(KEY);
  });
});
