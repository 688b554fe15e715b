import { join } from "node:path";

import { fieldsOf, Program } from "@reveille/testkit";

const SIMULATOR = join(import.meta.dirname, "../../push-simulator/src/main.ts");

/** The control port answers at once, unless the process hangs. */
const ANSWER_MS = 10_000;

/** A push request as the simulator got it. */
export interface ReceivedPush {
  readonly token: string;
  readonly apnsId: string;
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly payload: unknown;
  readonly headers: Readonly<Record<string, string>>;
  /** When the request was there, in ms since 1970. */
  readonly receivedAt: number;
  /** When it was answered. */
  readonly settledAt: number | undefined;
}

/** The APNs simulator in a process of its own, and its control port. */
export interface Apns extends AsyncDisposable {
  readonly program: Program;
  /** For `endpoint` of a module. */
  readonly endpoint: string;
  /** For `caFile` of a module. */
  readonly caFile: string;
  readonly controlUrl: string;
  /** Every request for that token, oldest first. */
  readonly pushesTo: (token: string) => Promise<readonly ReceivedPush[]>;
  /** How many requests came for each token. */
  readonly askedFor: () => Promise<ReadonlyMap<string, number>>;
  /** From now on these devices are gone: 410 Unregistered. */
  readonly kill: (tokens: readonly string[]) => Promise<void>;
  /** From now on every answer takes that long, and a connection carries that many requests at once. */
  readonly behave: (behaviour: { readonly latencyMs: number; readonly streamLimit: number }) => Promise<void>;
}

export interface ApnsOptions {
  readonly folder: string;
  readonly logFile: string;
  /** The only signing key it accepts, as `KEYID:TEAMID:FILE`. */
  readonly key: string;
}

/** Resolves when it accepts connections. */
export async function startApns({ folder, logFile, key }: ApnsOptions): Promise<Apns> {
  const caFile = join(folder, "ca.pem");
  const program = await Program.start({
    name: "apns",
    command: process.execPath,
    args: [SIMULATOR, "--ca-out", caFile, "--key", key],
    logFile,
  });
  const { text } = await program.line((line) => line.startsWith("{"));
  const { port, controlPort } = fieldsOf(JSON.parse(text));
  const control = `http://127.0.0.1:${Number(controlPort)}`;
  return {
    program,
    endpoint: `https://127.0.0.1:${Number(port)}`,
    caFile,
    controlUrl: control,
    pushesTo: async (token) => {
      const { pushes } = fieldsOf(await get(`${control}/_sim/ledger?token=${token}`));
      return Array.isArray(pushes) ? pushes.filter(isPush) : [];
    },
    askedFor: async () => {
      const { tokens } = fieldsOf(await get(`${control}/_sim/ledger`));
      return new Map(
        Object.entries(fieldsOf(tokens)).map(([token, tally]) => [token, Number(fieldsOf(tally)["asked"])]),
      );
    },
    kill: async (tokens) => post(`${control}/_sim/tokens`, { tokens, state: "dead" }),
    behave: async ({ latencyMs, streamLimit }) =>
      post(`${control}/_sim/behaviour`, { latency: { kind: "fixed", ms: latencyMs }, streamLimit }),
    [Symbol.asyncDispose]: async () => program.stop(),
  };
}

async function get(url: string): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
  if (!response.ok) throw new Error(`${url} answers ${response.status}: ${await response.text()}`);
  return response.json();
}

async function post(url: string, body: unknown): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  if (!response.ok) throw new Error(`${url} answers ${response.status}: ${await response.text()}`);
  await response.body?.cancel();
}

const isPush = (value: unknown): value is ReceivedPush => typeof fieldsOf(value)["apnsId"] === "string";
