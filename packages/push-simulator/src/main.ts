import { runPushSimulator } from "./run.ts";

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());

try {
  await runPushSimulator({
    args: process.argv.slice(2),
    print: (line) => process.stdout.write(`${line}\n`),
    stop: stop.signal,
  });
} catch (error) {
  process.stderr.write(`push-simulator: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
