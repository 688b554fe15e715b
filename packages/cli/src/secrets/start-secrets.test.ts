import { mkdtempDisposable, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { StartSecrets } from "./start-secrets.ts";

describe("the files that a role reads only when it starts", () => {
  it("are named with their key when their content has changed since, and those of other sections are not", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-secrets-"));
    const [front, password] = [join(folder.path, "front"), join(folder.path, "password")];
    await writeFile(front, "one");
    await writeFile(password, "same");
    const config = {
      redis: { url: "redis://127.0.0.1", passwordFile: password },
      ingress: { components: [{ domain: "eu", secretFile: front }] },
      modules: { app: { keyFile: front } },
    };
    const secrets = await StartSecrets.of(config, ["redis", "ingress"]);
    expect(await secrets.changes()).toEqual([]);
    await writeFile(front, "two");
    const change = { key: "ingress.components.0.secretFile", file: front };
    expect(await secrets.changes()).toMatchObject([change]);
    await rm(password);
    expect((await secrets.changes()).map(({ key }) => key)).toEqual(["redis.passwordFile", change.key]);
  });
});
