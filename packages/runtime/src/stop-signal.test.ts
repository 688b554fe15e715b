import { spawn } from "node:child_process";
import { once } from "node:events";

import { describe, expect, it, onTestFinished } from "vitest";

/** A process that stops by `stopSignal`; it says `ready`, `draining`, `forced: …` and `drained`. */
function aProcess(drain: string, drainWithin: number) {
  const index = new URL("index.ts", import.meta.url).href;
  const script = `
    import { millis } from "@reveille/wakeup";
    import { stopSignal } from ${JSON.stringify(index)};
    const stop = stopSignal(process, {
      drainWithin: millis(${drainWithin}),
      onForced: (because) => console.log("forced: " + because),
    });
    stop.addEventListener("abort", () => { console.log("draining"); ${drain} });
    const busy = setInterval(() => {}, 1000);
    console.log("ready");`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", script], {
    cwd: new URL(".", import.meta.url),
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, "exit");
  return {
    said: async (text: string): Promise<void> => expect.poll(() => output).toContain(text),
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    end: async (): Promise<unknown> => {
      await exited;
      return { code: child.exitCode, output };
    },
  };
}

describe("stopping", () => {
  it.each(["SIGTERM", "SIGINT"] as const)("by %s drains, then ends with code 0", async (signal) => {
    const child = aProcess(`clearInterval(busy); console.log("drained");`, 60_000);
    await child.said("ready");
    child.kill(signal);
    expect(await child.end()).toEqual({ code: 0, output: "ready\ndraining\ndrained\n" });
  });

  it("by a second signal ends at once with code 1", async () => {
    const child = aProcess("", 60_000);
    await child.said("ready");
    child.kill("SIGTERM");
    await child.said("draining");
    child.kill("SIGTERM");
    expect(await child.end()).toEqual({ code: 1, output: "ready\ndraining\nforced: second signal\n" });
  });

  it("ends with code 1 when draining takes longer than it may", async () => {
    const child = aProcess("", 50);
    await child.said("ready");
    child.kill("SIGTERM");
    expect(await child.end()).toEqual({
      code: 1,
      output: "ready\ndraining\nforced: drain deadline passed\n",
    });
  });
});
