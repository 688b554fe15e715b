import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { ask, freePort, Program, startRedis } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { isRefusal } from "./certain-refusal.ts";
import { certainRefusal } from "./index.ts";

const waits = {
  sleep: async (duration: number, signal?: AbortSignal) =>
    delay(duration, undefined, { signal }).catch(() => undefined),
};

/** What was refused, in full. */
async function reasonOf(refusal: ReturnType<typeof certainRefusal>): Promise<string> {
  const error = await refusal;
  const { cause } = error ?? {};
  return error === undefined
    ? "not certain"
    : `${error.message}: ${cause instanceof Error ? cause.message : ""}`;
}

const urlOf = ({ path }: { readonly path: string }) => ({ url: `redis+unix://${path}` });

describe("a Redis that refuses", () => {
  it("is certain to after a second, be it connections, a socket that is not there, or the login", async () => {
    await using redis = await startRedis(["--requirepass", "secret"]);
    const reasons = await Promise.all([
      reasonOf(certainRefusal({ url: "redis://127.0.0.1:1" }, waits)),
      reasonOf(certainRefusal({ url: "redis+unix:///nowhere/redis.sock" }, waits)),
      reasonOf(certainRefusal(urlOf(redis), waits)),
      reasonOf(certainRefusal({ ...urlOf(redis), password: "wrong" }, waits)),
      reasonOf(certainRefusal({ ...urlOf(redis), password: "secret" }, waits)),
    ]);
    expect(reasons).toEqual([
      "no Redis at redis://127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1",
      "no Redis at redis+unix:///nowhere/redis.sock: connect ENOENT /nowhere/redis.sock",
      expect.stringMatching(/: NOAUTH /),
      expect.stringMatching(/: WRONGPASS /),
      "not certain",
    ]);
  });

  it("is not certain to while it is started anew", async () => {
    await using redis = await startRedis();
    await redis.kill();
    const asked = certainRefusal(urlOf(redis), {
      // Between two tries, not while one of them is waited for.
      sleep: async (duration, signal) => {
        if (signal === undefined) await redis.restart();
        else await waits.sleep(duration, signal);
      },
    });
    expect(await reasonOf(asked)).toBe("not certain");
  });

  it("is another than one that cuts connections, as a proxy does whose Redis is replaced", async () => {
    await using opened = new AsyncDisposableStack();
    const cutting = createServer((socket) => void socket.resetAndDestroy());
    opened.defer(() => void cutting.close());
    const port = await freePort();
    await new Promise<void>((resolve) => void cutting.listen(port, "127.0.0.1", resolve));
    expect(await reasonOf(certainRefusal({ url: `redis://127.0.0.1:${port}` }, waits))).toBe("not certain");
  });

  it("is another than one that is slow", async () => {
    await using redis = await startRedis();
    redis.signal("SIGSTOP");
    expect(await reasonOf(certainRefusal(urlOf(redis), waits))).toBe("not certain");
    redis.signal("SIGCONT");
  });
});

describe("a name with several addresses", () => {
  const failed = (code: string) => Object.assign(new Error(code), { code });
  const [refused, silent] = [failed("ECONNREFUSED"), failed("ETIMEDOUT")];
  // As Node has it, with the code of the first address.
  const failedAt = (...errors: readonly Error[]) =>
    Object.assign(new AggregateError(errors), { code: "ECONNREFUSED" });

  it("refuses if all of them do", () => {
    expect(isRefusal(failedAt(refused, refused))).toBe(true);
    expect(isRefusal(failedAt(refused, silent))).toBe(false);
  });
});

describe("Sentinels that refuse", () => {
  const sentinels = (...ports: readonly number[]) => ({
    name: "eu",
    sentinels: ports.map((port) => ({ host: "127.0.0.1", port })),
  });

  it("are certain to if all of them do, not if one keeps silent", async () => {
    const [one, other] = [await freePort(), await freePort()];
    expect(await reasonOf(certainRefusal(sentinels(one, other), waits))).toBe(
      `no Redis at eu by Sentinel: every Sentinel refuses: connect ECONNREFUSED 127.0.0.1:${one}`,
    );
    await using opened = new AsyncDisposableStack();
    const silent = createServer((socket) => void socket.on("error", () => undefined).resume());
    opened.defer(() => void silent.close());
    await new Promise<void>((resolve) => void silent.listen(other, "127.0.0.1", resolve));
    expect(await reasonOf(certainRefusal(sentinels(one, other), waits))).toBe("not certain");
  });

  it("say nothing of a primary that refuses while another one is found", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-refusal-"));
    const port = await freePort();
    const file = join(folder.path, "sentinel.conf");
    await writeFile(file, `port ${port}\nbind 127.0.0.1\nsentinel monitor eu 127.0.0.1 1 1\n`);
    await using programs = new AsyncDisposableStack();
    programs.use(
      await Program.start({
        name: "sentinel",
        command: "redis-server",
        args: [file, "--sentinel"],
        folder: folder.path,
        ready: async () => ask({ kind: "redis-ping", at: { port } }),
      }),
    );
    expect(await reasonOf(certainRefusal(sentinels(port), waits))).toBe("not certain");
  });
});
