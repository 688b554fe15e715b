import { readFile } from "node:fs/promises";
import { parseArgs, type ParseArgsConfig } from "node:util";

import { type Latency } from "./latency.ts";
import { type ApnsSimulatorOptions } from "./options.ts";
import { type ProviderKey } from "./validation/provider-token.ts";

/** What the arguments ask for. */
export type CommandLine =
  | { readonly kind: "help"; readonly text: string }
  | {
      readonly kind: "serve";
      readonly options: ApnsSimulatorOptions;
      readonly mode: "apns" | "throughput" | "fcm";
      readonly controlPort: number;
      readonly controlHost: string;
      readonly caOut: string | undefined;
      /** Where the service account goes that may send; with `fcm` only. */
      readonly accountOut: string | undefined;
    };

const HELP = `push-simulator: Apple's push service (--fcm: Google's) for tests, demo and load

  --host H                 listen here (127.0.0.1)
  --port N                 0: any free port (0)
  --control-port N         HTTP control API, 0: any free port (0)
  --control-host H         (127.0.0.1)
  --tls-key F --tls-cert F PEM files; without them both are made at the start
  --ca-out F               write what clients must trust to this file
  --name N                 name or address in the made certificate; repeatable (localhost, 127.0.0.1, ::1)
  --environment E          production or sandbox (production)
  --key KEYID:TEAMID:F     accept tokens of this key, F its public or private key; repeatable
  --topic T                accept only these topics; repeatable
  --client-ca F            ask for client certificates, accept those of this authority
  --unknown-tokens W       accept or refuse device tokens nobody has registered (accept)
  --stream-limit N         MAX_CONCURRENT_STREAMS after the first push (1000)
  --latency L              of answers in ms: 50, or 20-80 (uniform), or 60~0.5 (log-normal, median~sigma)
  --ledger-limit N         most pushes to record (100000)
  --seed N                 of all chance (1)
  --throughput             answer 200 and count, nothing else
  --fcm                    be Google's FCM HTTP v1 instead, with its authorization server
  --account-out F          with --fcm: write the service account that may send to this file

Prints one JSON line with the ports when ready. SIGTERM and SIGINT stop it.
Examples:
  reveille push-simulator --port 8443 --ca-out simulator-ca.pem
  reveille push-simulator --fcm --account-out service-account.json`;

/** The flags as `parseArgs` takes them; HELP explains each. */
export const FLAGS = {
  host: { type: "string", default: "127.0.0.1" },
  port: { type: "string", default: "0" },
  "control-port": { type: "string", default: "0" },
  "control-host": { type: "string", default: "127.0.0.1" },
  "tls-key": { type: "string" },
  "tls-cert": { type: "string" },
  "ca-out": { type: "string" },
  name: { type: "string", multiple: true },
  environment: { type: "string", default: "production" },
  key: { type: "string", multiple: true, default: [] },
  topic: { type: "string", multiple: true },
  "client-ca": { type: "string" },
  "unknown-tokens": { type: "string", default: "accept" },
  "stream-limit": { type: "string", default: "1000" },
  latency: { type: "string", default: "0" },
  "ledger-limit": { type: "string", default: "100000" },
  seed: { type: "string", default: "1" },
  throughput: { type: "boolean", default: false },
  fcm: { type: "boolean", default: false },
  "account-out": { type: "string" },
  help: { type: "boolean", default: false },
} as const satisfies ParseArgsConfig["options"];

const valuesIn = (args: readonly string[]) => parseArgs({ args: [...args], options: FLAGS }).values;
type Values = ReturnType<typeof valuesIn>;

/** Reads arguments and the files they name; throws an Error that names what is wrong. */
export async function readCommandLine(args: readonly string[]): Promise<CommandLine> {
  const values = valuesIn(args);
  if (values.help) return { kind: "help", text: HELP };
  return {
    kind: "serve",
    options: await optionsFrom(values),
    mode: modeOf(values),
    controlPort: countOf("--control-port", values["control-port"]),
    controlHost: values["control-host"],
    caOut: values["ca-out"],
    accountOut: values["account-out"],
  };
}

function modeOf({ fcm, throughput, "account-out": accountOut }: Values): "apns" | "throughput" | "fcm" {
  if (fcm && throughput) throw new Error("--fcm and --throughput do not go together");
  if (accountOut !== undefined && !fcm) throw new Error("--account-out goes with --fcm");
  if (fcm) return "fcm";
  return throughput ? "throughput" : "apns";
}

async function optionsFrom(values: Values): Promise<ApnsSimulatorOptions> {
  const { name: names, topic: topics, "client-ca": clientCa } = values;
  return {
    host: values.host,
    port: countOf("--port", values.port),
    environment: wordOf("--environment", values.environment, ["production", "sandbox"]),
    unknownTokens: wordOf("--unknown-tokens", values["unknown-tokens"], ["accept", "refuse"]),
    keys: await Promise.all(values.key.map(keyOf)),
    ledgerLimit: countOf("--ledger-limit", values["ledger-limit"]),
    seed: countOf("--seed", values.seed),
    behaviour: {
      streamLimit: countOf("--stream-limit", values["stream-limit"]),
      latency: latencyOf(values.latency),
    },
    ...(names === undefined ? {} : { names }),
    ...(topics === undefined ? {} : { topics }),
    ...(clientCa === undefined ? {} : { clientCa: await text(clientCa) }),
    ...(await tlsFrom(values)),
  };
}

async function tlsFrom(values: Values): Promise<Pick<ApnsSimulatorOptions, "tls">> {
  const { "tls-key": key, "tls-cert": cert } = values;
  if (key === undefined && cert === undefined) return {};
  if (key === undefined || cert === undefined) throw new Error("--tls-key and --tls-cert go together");
  return { tls: { key: await text(key), cert: await text(cert) } };
}

const text = async (file: string): Promise<string> => readFile(file, "utf8");

function countOf(name: string, value: string): number {
  if (/^\d{1,10}$/.test(value)) return Number(value);
  throw new Error(`${name}: not a whole number: ${value}`);
}

function wordOf<const T extends string>(name: string, value: string, words: readonly T[]): T {
  const word = words.find((one) => one === value);
  if (word !== undefined) return word;
  throw new Error(`${name}: not ${words.join(" or ")}: ${value}`);
}

async function keyOf(value: string): Promise<ProviderKey> {
  const [keyId = "", teamId = "", ...file] = value.split(":");
  if (file.length === 0) throw new Error(`--key: not KEYID:TEAMID:FILE: ${value}`);
  return { keyId, teamId, publicKey: await text(file.join(":")) };
}

function latencyOf(value: string): Latency {
  const number = String.raw`(\d+(?:\.\d+)?)`;
  const [, first, sign, second] = new RegExp(`^${number}(?:([~-])${number})?$`).exec(value) ?? [];
  if (first === undefined) throw new Error(`--latency: not 50, 20-80 or 60~0.5: ${value}`);
  if (sign === "-") return { kind: "uniform", from: Number(first), to: Number(second) };
  if (sign === "~") return { kind: "log-normal", median: Number(first), sigma: Number(second) };
  return { kind: "fixed", ms: Number(first) };
}
