import { runApnsSimulator } from "@reveille/apns-simulator";

/** `reveille apns-simulator`: a push service that answers like Apple's, for tests, demo and load. */
export async function apnsSimulator(args: readonly string[]): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  await runApnsSimulator({
    args,
    print: (line) => void process.stdout.write(`${line}\n`),
    stop: stop.signal,
  });
}
