import { describe, expect, it } from "vitest";

import { runUntil, type Start, type StartContext } from "./index.ts";

/** Parts that write down what happens to them. */
function aDiary() {
  const events: string[] = [];
  const contexts = new Map<string, StartContext>();
  const part =
    (name: string): Start =>
    async (context) => {
      contexts.set(name, context);
      events.push(`start ${name}`);
      await Promise.resolve();
      return {
        [Symbol.asyncDispose]: async () => {
          await Promise.resolve();
          events.push(`stop ${name}`);
        },
      };
    };
  return { events, contexts, part };
}

describe("a process", () => {
  it("starts its parts in order and stops them in reverse order", async () => {
    const { events, part } = aDiary();
    const stop = new AbortController();
    const running = runUntil(stop.signal, [part("redis"), part("queue"), part("ingress")]);
    await expect.poll(() => events).toHaveLength(3);
    stop.abort();
    await running;
    expect(events).toEqual([
      "start redis",
      "start queue",
      "start ingress",
      "stop ingress",
      "stop queue",
      "stop redis",
    ]);
  });

  it("stops the parts that run when the next one cannot start, and throws why", async () => {
    const { events, part } = aDiary();
    const refuses: Start = () => Promise.reject(new Error("no such host"));
    const running = runUntil(new AbortController().signal, [part("redis"), refuses, part("ingress")]);
    await expect(running).rejects.toThrow("no such host");
    expect(events).toEqual(["start redis", "stop redis"]);
  });

  it("stops every part when one breaks, and throws why", async () => {
    const { events, contexts, part } = aDiary();
    const running = runUntil(new AbortController().signal, [part("redis"), part("queue")]);
    await expect.poll(() => events).toHaveLength(2);
    contexts.get("queue")?.fail(new Error("lost"));
    await expect(running).rejects.toThrow("lost");
    expect(events.slice(2)).toEqual(["stop queue", "stop redis"]);
  });

  it("throws why a part has broken even if starting or stopping another one fails because of it", async () => {
    const { events, part } = aDiary();
    const stubborn: Start = async ({ fail }) => {
      fail(new Error("lost"));
      return { [Symbol.asyncDispose]: () => Promise.reject(new Error("cannot stop")) };
    };
    const running = runUntil(new AbortController().signal, [part("redis"), stubborn]);
    await expect(running).rejects.toMatchObject({
      suppressed: { message: "lost" },
      error: { message: "cannot stop" },
    });
    expect(events).toEqual(["start redis", "stop redis"]);
    const gaveUp: Start = ({ fail }) => {
      fail(new Error("lost"));
      return Promise.reject(new Error("aborted"));
    };
    await expect(runUntil(new AbortController().signal, [gaveUp])).rejects.toThrow("lost");
  });

  it("starts nothing further once it is asked to stop", async () => {
    const { events, part } = aDiary();
    const stop = new AbortController();
    const asks: Start = (context) => {
      stop.abort();
      return part("redis")(context);
    };
    await runUntil(stop.signal, [asks, part("ingress")]);
    expect(events).toEqual(["start redis", "stop redis"]);
  });

  it("takes a start that gives up because of the stop for no failure", async () => {
    const { events, part } = aDiary();
    const stop = new AbortController();
    const waits: Start = ({ signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("stopped while connecting")));
        stop.abort();
      });
    await runUntil(stop.signal, [part("redis"), waits]);
    expect(events).toEqual(["start redis", "stop redis"]);
  });
});
