import { runApnsSimulator } from "./run.ts";

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());

try {
  await runApnsSimulator({
    args: process.argv.slice(2),
    print: (line) => process.stdout.write(`${line}\n`),
    stop: stop.signal,
  });
} catch (error) {
  process.stderr.write(`apns-simulator: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
