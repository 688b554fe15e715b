import { runPushSimulator } from "@reveille/push-simulator";

/** `reveille push-simulator`: a push service that answers like Apple's, for tests, demo and load. */
export async function pushSimulator(args: readonly string[]): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  await runPushSimulator({
    args,
    print: (line) => void process.stdout.write(`${line}\n`),
    stop: stop.signal,
  });
}
