import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ManualClock, openNotifySocket } from "@reveille/testkit";
import { type Health, seconds } from "@reveille/wakeup";
import { describe, expect, it, vi } from "vitest";

import { tellSystemd } from "./index.ts";

const READY: Health = { kind: "ready" };
const SOON = { timeout: 10_000 };
const STARTED = "READY=1\nSTATUS=ready";

/** A process whose one part is as a test has it, told to a socket like systemd's. */
async function aService(environment: Record<string, string> = { WATCHDOG_USEC: "30000000" }) {
  await using stack = new AsyncDisposableStack();
  const socket = stack.use(await openNotifySocket());
  const clock = new ManualClock();
  const troubles: string[] = [];
  let health: Health = READY;
  const start = tellSystemd({
    environment: { ...environment, NOTIFY_SOCKET: socket.path },
    parts: () => [{ part: "queue", health }],
    clock,
    onTrouble: ({ message }) => void troubles.push(message),
  });
  const part = await start({ signal: new AbortController().signal, fail: () => undefined });
  stack.use(part);
  const all = stack.move();
  return {
    part,
    clock,
    troubles,
    is: (now: Health) => void (health = now),
    /** All that systemd heard; to be polled, since another process reads it. */
    heard: socket.messages,
    /** Lets the time between two messages pass, once the last one has been sent. */
    next: async () => {
      await expect.poll(() => clock.sleepers, SOON).toBe(1);
      await clock.advance(seconds(10));
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

describe("systemd", () => {
  it("hears that a process is ready, makes progress and drains", async () => {
    await using service = await aService();
    await service.next();
    await expect.poll(service.heard, SOON).toEqual([STARTED, "WATCHDOG=1"]);
    await service.part[Symbol.asyncDispose]();
    await expect.poll(service.heard, SOON).toEqual([STARTED, "WATCHDOG=1", "STOPPING=1\nSTATUS=draining"]);
    expect(service.troubles).toEqual([]);
  });

  it("still hears of progress when something outside is missing, and reads what", async () => {
    await using service = await aService();
    service.is({ kind: "failing", because: "Redis\nis away" });
    await service.next();
    await expect.poll(service.heard, SOON).toEqual([STARTED, "WATCHDOG=1\nSTATUS=queue: Redis is away"]);
  });

  it("hears of no progress while a part is stuck", async () => {
    await using service = await aService();
    service.is({ kind: "failing", because: "hangs", stuck: true });
    await service.next();
    await service.next();
    service.is(READY);
    await service.next();
    await expect
      .poll(service.heard, SOON)
      .toEqual([STARTED, "STATUS=queue: hangs", "WATCHDOG=1\nSTATUS=ready"]);
  });

  it.each([
    ["it keeps no watch", {}],
    ["it watches another process", { WATCHDOG_USEC: "30000000", WATCHDOG_PID: "1" }],
  ])("hears only changes when %s", async (_when, environment) => {
    await using service = await aService(environment);
    await service.next();
    service.is({ kind: "starting" });
    await service.next();
    await expect.poll(service.heard, SOON).toEqual([STARTED, "STATUS=queue: starting"]);
  });

  it("is left alone by a process that it did not start", async () => {
    const parts = vi.fn<() => []>();
    const start = tellSystemd({
      environment: {},
      parts,
      clock: new ManualClock(),
      onTrouble: () => undefined,
    });
    const part = await start({ signal: new AbortController().signal, fail: () => undefined });
    await part[Symbol.asyncDispose]();
    expect(parts).not.toHaveBeenCalled();
  });

  it.each([
    ["a socket that nobody reads", { NOTIFY_SOCKET: "/nowhere/notify.sock" }, "/nowhere/notify.sock"],
    ["no systemd-notify", { NOTIFY_SOCKET: "/nowhere/s", PATH: "/nowhere" }, "Debian's package systemd"],
  ])("that cannot be told for %s is warned of once, and the part works", async (_what, own, cure) => {
    const clock = new ManualClock();
    const troubles: string[] = [];
    const start = tellSystemd({
      environment: { WATCHDOG_USEC: "30000000", ...own },
      parts: () => [],
      clock,
      onTrouble: ({ message }) => void troubles.push(message),
    });
    const part = await start({ signal: new AbortController().signal, fail: () => undefined });
    for (let times = 0; times < 3; times += 1) {
      await expect.poll(() => clock.sleepers, SOON).toBe(1);
      await clock.advance(seconds(10));
    }
    await expect.poll(() => clock.sleepers, SOON).toBe(1);
    await part[Symbol.asyncDispose]();
    expect(troubles).toEqual([expect.stringContaining(cure)]);
  });

  it("hears READY as soon as it can be told, when it could not at the start", async () => {
    const folder = await mkdtemp(join(tmpdir(), "reveille-late-"));
    const path = join(folder, "late.sock");
    const clock = new ManualClock();
    const troubles: Error[] = [];
    const start = tellSystemd({
      environment: { NOTIFY_SOCKET: path },
      parts: () => [],
      clock,
      onTrouble: (error) => void troubles.push(error),
    });
    await using part = await start({ signal: new AbortController().signal, fail: () => undefined });
    expect(part).toBeDefined();
    expect(troubles).toHaveLength(1);
    await using socket = await openNotifySocket();
    await symlink(socket.path, path);
    await expect.poll(() => clock.sleepers, SOON).toBe(1);
    await clock.advance(seconds(10));
    await expect.poll(socket.messages, SOON).toEqual([STARTED]);
    await rm(folder, { recursive: true });
  });
});
