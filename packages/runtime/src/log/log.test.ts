import { EventEmitter } from "node:events";
import { fstatSync } from "node:fs";

import { aModule, anFcmToken, aRegionSecret, aToken, aWakeup, ManualClock } from "@reveille/testkit";
import { apnsIdOf, fingerprintOf, millis, type Outcome, type PushEvent, seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { asErrors, createLogger, isJournal, logEvents, recordLibraryLines } from "../index.ts";
import { type NoisyProcess } from "./library-lines.ts";

const secret = aRegionSecret();

function aLog(level: "debug" | "info" = "debug", readable = false, journal = false) {
  const lines: string[] = [];
  const clock = new ManualClock();
  const output = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({ level, base: { role: "worker" }, clock, readable, journal, output });
  return { lines, clock, logger, observe: logEvents({ logger, secret, clock }) };
}

const parsed = (lines: readonly string[]): readonly unknown[] =>
  lines.map((line): unknown => JSON.parse(line));

const wakeup = aWakeup();
const delivered: PushEvent = {
  kind: "delivery-settled",
  wakeup,
  outcome: { kind: "delivered", apnsId: apnsIdOf(wakeup) },
  next: "done",
  age: millis(40),
  took: millis(12),
};

describe("the level of a record", () => {
  it("is its name, and before a record for the journal its priority", () => {
    const { logger, lines } = aLog("debug", false, true);
    for (const level of ["debug", "info", "warn", "error"] as const) logger[level]("x");
    expect(lines.map((line) => /^(<\d>)\{"level":"(\w+)",/.exec(line)?.slice(1))).toEqual([
      ["<7>", "debug"],
      ["<6>", "info"],
      ["<4>", "warn"],
      ["<3>", "error"],
    ]);
    const plain = aLog();
    plain.logger.warn("x");
    expect(parsed(plain.lines)).toMatchObject([{ level: "warn" }]);
    expect(asErrors("one\n  two\n\nthree")).toBe("<3>one\n<3>  two\n\n<3>three");
  });

  it("is looked for in the journal alone", () => {
    const { dev, ino } = fstatSync(1);
    expect([
      isJournal(1, `${dev}:${ino}`),
      isJournal(1, `${dev}:${ino + 1}`),
      isJournal(1, undefined),
    ]).toEqual([true, false, false]);
  });
});

describe("what libraries write", () => {
  it("is a record: lines of theirs, Node's warnings and deprecations, and an error that nobody catches", () => {
    const { logger, lines } = aLog();
    const emitter = new EventEmitter();
    emitter.on("warning", () => lines.push("plain text"));
    const said = {
      debug: () => undefined,
      info: () => undefined,
      log: () => undefined,
      warn: () => undefined,
      error: () => undefined,
    };
    const noisy: NoisyProcess = { console: said, process: emitter };
    recordLibraryLines(logger, noisy);
    noisy.console.error("[ioredis] Unhandled error event:", new Error("connect ECONNREFUSED"));
    noisy.console.log("%s of %d", "one", 2);
    const deprecation = Object.assign(new Error("url.parse() is old"), {
      name: "DeprecationWarning",
      code: "DEP0169",
    });
    emitter.emit("warning", deprecation);
    emitter.emit("uncaughtExceptionMonitor", new Error("boom"));
    expect(parsed(lines)).toMatchObject([
      {
        level: "error",
        text: expect.stringContaining("Unhandled error event: Error: connect ECONNREFUSED") as unknown,
      },
      { level: "info", text: "one of 2" },
      { level: "warn", err: { type: "DeprecationWarning", code: "DEP0169" } },
      { level: "error", err: { message: "boom" } },
    ]);
  });
});

describe("the log", () => {
  it("tells each step of a wakeup with the same fields, so that records of several processes can be joined", () => {
    const { lines, clock, observe } = aLog();
    observe({ kind: "wakeup-admitted", wakeup, verdict: "now" });
    observe({ kind: "publish-answered", wakeup, result: "queued", reply: "accepted", took: millis(3) });
    observe(delivered);
    const about = {
      module: wakeup.module,
      fingerprint: fingerprintOf(secret, wakeup.token),
      urgent: true,
      receivedAt: wakeup.receivedAt,
      apnsId: apnsIdOf(wakeup),
    };
    const common = { level: "debug", time: clock.now(), role: "worker", wakeup: about };
    expect(parsed(lines)).toEqual([
      { ...common, event: "wakeup-admitted", verdict: "now", msg: "wakeup admitted" },
      {
        ...common,
        event: "publish-answered",
        result: "queued",
        reply: "accepted",
        took: 3,
        msg: "publish answered",
      },
      {
        ...common,
        event: "delivery-settled",
        outcome: { kind: "delivered", apnsId: about.apnsId },
        next: "done",
        age: 40,
        took: 12,
        msg: "delivery settled",
      },
    ]);
  });

  it("says nothing of single wakeups at info", () => {
    const { lines, observe } = aLog("info");
    observe({ kind: "wakeup-admitted", wakeup, verdict: "now" });
    for (const result of ["queued", "token-dead", "our-trouble"] as const) {
      observe({ kind: "publish-answered", wakeup, result, reply: "later", took: millis(3) });
    }
    observe(delivered);
    const outcomes: readonly Outcome[] = [
      { kind: "token-dead", reason: "Unregistered", proof: "certain" },
      { kind: "throttled", reason: "TooManyRequests", retryAfter: seconds(1) },
      { kind: "unreachable", reason: "ServiceUnavailable" },
    ];
    for (const outcome of outcomes) observe({ ...delivered, outcome, next: "give-up" });
    observe({ kind: "wakeup-dropped", wakeup, because: "covered" });
    expect(lines).toEqual([]);
  });

  it("tells at info of rejected and late wakeups by module and reason, and of no device", () => {
    const { lines, observe } = aLog("info");
    const outcome = { kind: "rejected", reason: "BadTopic", blame: "wakeup" } as const;
    observe({ ...delivered, outcome, next: "give-up" });
    observe({ kind: "wakeup-dropped", wakeup, because: "deadline" });
    expect(lines).toHaveLength(2);
    const device = [wakeup.token, fingerprintOf(secret, wakeup.token), apnsIdOf(wakeup)];
    expect(device.filter((one) => lines.join("").includes(one))).toEqual([]);
  });

  it.each<[string, PushEvent, string]>([
    [
      "a component that is served",
      { kind: "component-state-changed", component: "eu", state: "active" },
      "info",
    ],
    ["a component that is down", { kind: "component-state-changed", component: "eu", state: "down" }, "warn"],
    ["trouble with Redis", { kind: "redis-trouble", connection: "queue", because: "ECONNREFUSED" }, "warn"],
    ["a breaker that opens", { kind: "breaker-changed", module: aModule(), state: "open" }, "error"],
    [
      "a credential that is refused",
      { kind: "credential-changed", pool: "production", state: "refused" },
      "error",
    ],
    [
      "a token guard that is needed",
      { kind: "token-guard-changed", module: aModule(), state: "on" },
      "error",
    ],
    ["a breaker that closes", { kind: "breaker-changed", module: aModule(), state: "closed" }, "info"],
  ])("tells %s at its level", (_what, event, level) => {
    const { lines, observe } = aLog("info");
    observe(event);
    expect(parsed(lines)).toEqual([expect.objectContaining({ level, event: event.kind })]);
  });

  it("does not repeat a trouble a thousand times, and says how often it was held back", async () => {
    const { lines, clock, observe } = aLog("info");
    const trouble: PushEvent = { kind: "redis-trouble", connection: "queue", because: "ECONNREFUSED" };
    for (let times = 0; times < 1_000; times += 1) observe(trouble);
    for (let times = 0; times < 2; times += 1) {
      await clock.advance(seconds(10));
      observe(trouble);
    }
    expect(parsed(lines)).toMatchObject([{ held: 0 }, { held: 999 }, { held: 0 }]);
  });

  it("never shows a whole token, whatever a caller does", () => {
    const { lines, logger } = aLog();
    const token = aToken();
    logger.info({ token }, "field");
    logger.info({ wakeup: { token } }, "field of a field");
    logger.info({ deep: { down: { below: token } } }, "field with another name");
    logger.info(`interpolated ${token.toUpperCase()}`);
    logger.error({ err: new Error(`bad ${token}`, { cause: new Error(token) }) }, "error");
    expect(lines).toHaveLength(5);
    expect(lines.join("").toLowerCase()).not.toContain(token.slice(0, 32));
  });

  it("never shows a registration token of FCM, nor any text as long", () => {
    const { lines, logger } = aLog();
    for (const token of [anFcmToken(), `${"x".repeat(60)}_-:${"Y".repeat(60)}`]) {
      logger.error({ err: new Error(`bad ${token}!`), deep: { below: token } }, "error");
      expect(lines.join("")).not.toContain(token.slice(0, 20));
    }
  });

  it("censors what may carry an address or a message, should a caller pass it", () => {
    const { lines, logger } = aLog();
    logger.info({ from: "juliet@capulet.example", stanza: { body: "Wherefore art thou" } }, "fields");
    expect(parsed(lines)).toMatchObject([{ from: "[redacted]", stanza: { body: "[redacted]" } }]);
  });

  it("shows an error with its causes, but not the fields that libraries hang on it", () => {
    const { lines, logger } = aLog();
    const failure = Object.assign(new Error("READONLY"), { code: "E1", command: { args: ["sesame"] } });
    logger.error({ err: new Error("cannot admit", { cause: failure }) }, "flush failed");
    expect(parsed(lines)).toMatchObject([
      { err: { type: "Error", message: "cannot admit", cause: { message: "READONLY", code: "E1" } } },
    ]);
    expect(lines.join("")).not.toContain("sesame");
  });

  it("shows both failures when stopping fails after another one", () => {
    const { lines, logger } = aLog();
    logger.error({ err: new SuppressedError(new Error("cannot stop"), new Error("lost")) }, "role ended");
    expect(parsed(lines)).toMatchObject([
      { err: { cause: { message: "cannot stop" }, suppressed: { message: "lost" } } },
    ]);
  });

  it("tells a connection's states without taking them for addresses", () => {
    const { lines, observe } = aLog("info");
    observe({ kind: "connection-state-changed", pool: "production", from: "open", to: "draining" });
    expect(parsed(lines)).toMatchObject([{ was: "open", state: "draining" }]);
  });

  it("reads well at a terminal", () => {
    const { lines, logger } = aLog("info", true);
    logger.info({ part: "redis" }, "part is ready");
    expect(lines.join("")).toMatch(/INFO.*part is ready/);
  });
});
