import { chmod, mkdir, mkdtempDisposable, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { renewSecrets } from "./renew-secrets.ts";
import { secretPath } from "./secret-path.ts";

const COPIES = "/run/credentials/reveille-worker@1.service";
const RENEWED = "/run/reveille-secrets";
const UNIT = "reveille-worker@1.service";

/** The process 7 in a `/proc` of its own, as systemd starts a worker with two folders of secrets. */
async function aWorker() {
  const folder = await mkdtempDisposable(join(tmpdir(), "reveille-renew-"));
  const below = (name: string): string => join(folder.path, name);
  const [proc, apns, fcm] = [below("proc"), below("apns"), below("fcm")];
  const home = join(proc, "7");
  const inside = (path: string): string => join(home, "root", path);
  for (const path of [apns, join(fcm, "old"), inside(COPIES), inside(RENEWED)])
    await mkdir(path, { recursive: true });
  await writeFile(join(home, "environ"), `PATH=/bin\0CREDENTIALS_DIRECTORY=${COPIES}\0`);
  await writeFile(join(home, "cgroup"), `0::/system.slice/system-reveille\\x2dworker.slice/${UNIT}\n`);
  const { getuid, getgid } = process;
  const ids = [getuid?.() ?? 0, getgid?.() ?? 0];
  await writeFile(join(home, "status"), `Uid:\t0\t${ids[0]}\t0\t0\nGid:\t0\t${ids[1]}\t0\t0\n`);
  for (const [source, copy, text] of [
    [join(apns, "a.p8"), "apns_a.p8", "A"],
    [join(apns, "b.p8"), "apns_b.p8", "B"],
    [join(fcm, "old/c.json"), "fcm_old_c.json", "C"],
  ] as const) {
    await writeFile(source, text);
    await writeFile(join(inside(COPIES), copy), text);
  }
  const asked: string[] = [];
  const textOf = (unit: string): Promise<string> => {
    asked.push(unit);
    return Promise.resolve(
      `[Service]\nLoadCredential=apns:${apns}\nLoadCredential=fcm:${fcm}\nType=notify\n`,
    );
  };
  /** What the worker reads of a file. */
  const seen = async (name: string): Promise<string> =>
    readFile(
      secretPath(`/etc/reveille/apns/${name}`, { copies: inside(COPIES), renewed: inside(RENEWED) }),
      "utf8",
    );
  return {
    renew: async () => renewSecrets(7, { proc, textOf }),
    seen,
    apns,
    home,
    inside,
    asked,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

describe("the secrets of a role that systemd started", () => {
  it("are the same as long as no file has changed", async () => {
    await using worker = await aWorker();
    expect(await worker.renew()).toEqual({ kind: "same" });
    expect(worker.asked).toEqual([UNIT]);
  });

  it("are renewed where they have changed or come, and nowhere else", async () => {
    await using worker = await aWorker();
    await writeFile(join(worker.apns, "a.p8"), "A2");
    await writeFile(join(worker.apns, "new.p8"), "N");
    const renewal = await worker.renew();
    expect(renewal).toMatchObject({ files: [join(worker.apns, "a.p8"), join(worker.apns, "new.p8")] });
    expect(await Promise.all(["a.p8", "b.p8", "new.p8"].map(worker.seen))).toEqual(["A2", "B", "N"]);
    expect(await worker.renew()).toEqual({ kind: "same" });
  });

  it("are those of before again when the role refuses them, and the ones of before go when it does not", async () => {
    await using worker = await aWorker();
    const change = async (text: string) => {
      await writeFile(join(worker.apns, "a.p8"), text);
      const renewal = await worker.renew();
      if (renewal.kind !== "renewed") throw new Error("not renewed");
      return renewal;
    };
    await (await change("wrong")).drop();
    expect(await worker.seen("a.p8")).toBe("A");
    await (await change("A2")).keep();
    const kept = worker.inside(`${RENEWED}/1/apns_a.p8`);
    expect(await readFile(kept, "utf8")).toBe("A2");
    await (await change("A3")).keep();
    expect(await worker.seen("a.p8")).toBe("A3");
    await expect(readFile(kept)).rejects.toThrow("ENOENT");
  });

  it("are called stale, with the cure, where there is no memory to put them", async () => {
    await using worker = await aWorker();
    await rm(worker.inside(RENEWED), { recursive: true });
    await writeFile(join(worker.apns, "a.p8"), "A2");
    expect(await worker.renew()).toEqual({
      kind: "stale",
      files: [join(worker.apns, "a.p8")],
      because: expect.stringMatching(
        /ENOENT.*; restart it: systemctl restart reveille-worker@1\.service$/,
      ) as unknown,
    });
  });

  it("are read at their place by a role that systemd did not start", async () => {
    await using worker = await aWorker();
    await chmod(join(worker.home, "environ"), 0o600);
    await writeFile(join(worker.home, "environ"), "PATH=/bin\0");
    expect(await worker.renew()).toEqual({ kind: "same" });
    expect(worker.asked).toEqual([]);
  });
});
