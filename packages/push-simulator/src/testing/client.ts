import { once } from "node:events";
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders, type Settings } from "node:http2";

import { type ApnsSimulator, type ApnsSimulatorOptions, startApnsSimulator } from "../index.ts";

/** What a raw client saw of one push. */
export interface Seen {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  /** RST_STREAM code; 0 for a stream that ended well. */
  readonly rstCode: number;
  readonly error: string | undefined;
}

/** One HTTP/2 connection without any wisdom: sends what it is told and reports what came. */
export interface Client extends AsyncDisposable {
  readonly session: ClientHttp2Session;
  /** GOAWAY frames received: code, last stream id, debug data. */
  readonly goaways: { readonly code: number; readonly last: number; readonly data: string }[];
  /** MAX_CONCURRENT_STREAMS as announced, in order. */
  readonly limits: (number | undefined)[];
  readonly push: (token: string, headers?: OutgoingHttpHeaders, body?: string) => Promise<Seen>;
}

export const TOKEN = "ab".repeat(32);
export const aToken = (seed: number): string => seed.toString(16).padStart(64, "0");

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A bearer that looks right and proves nothing: good where no keys are registered. */
export const unsignedBearer = (issuedAt: number, keyId = "KEYID12345", teamId = "TEAMID1234"): string =>
  `bearer ${part({ alg: "ES256", kid: keyId })}.${part({ iss: teamId, iat: Math.floor(issuedAt / 1_000) })}.c2ln`;

export const PAYLOAD = JSON.stringify({ aps: { alert: { title: "New Message" }, "mutable-content": 1 } });

/** What a plain alert needs; one bearer per process, since a new one each second is refused. */
export const GOOD_HEADERS: OutgoingHttpHeaders = {
  "apns-topic": "org.example.app",
  "apns-push-type": "alert",
  "apns-priority": "10",
  authorization: unsignedBearer(Date.now()),
};

/** Connects and waits for SETTINGS unless `eager`. */
export async function connectTo(
  simulator: ApnsSimulator,
  { eager = false, ...tls }: { eager?: boolean; key?: string; cert?: string } = {},
): Promise<Client> {
  const session = connect(simulator.url, { ca: simulator.ca, ...tls });
  const goaways: Client["goaways"] = [];
  const limits: Client["limits"] = [];
  session.on("error", () => {});
  session.on("goaway", (code: number, last: number, data?: Uint8Array) => {
    goaways.push({ code, last, data: data === undefined ? "" : Buffer.from(data).toString() });
  });
  session.on("remoteSettings", (settings: Settings) => limits.push(settings.maxConcurrentStreams));
  if (!eager) await once(session, "remoteSettings");
  return {
    session,
    goaways,
    limits,
    push: async (token, headers = {}, body = PAYLOAD) =>
      request(
        session,
        { ":method": "POST", ":path": `/3/device/${token}`, ...GOOD_HEADERS, ...headers },
        body,
      ),
    [Symbol.asyncDispose]: async () => {
      if (session.destroyed) return;
      session.destroy();
      await once(session, "close");
    },
  };
}

/** Sends one request and resolves when its stream is closed; never rejects. */
export async function request(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body: string,
): Promise<Seen> {
  const stream = session.request(headers);
  let answer: Record<string, unknown> = {};
  let text = "";
  let error: string | undefined;
  stream.on("response", (received) => (answer = { ...received }));
  stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  stream.on("error", (thrown: Error) => (error = thrown.message));
  stream.end(body);
  await new Promise((resolve) => stream.once("close", resolve));
  const status = answer[":status"];
  return {
    status: typeof status === "number" ? status : undefined,
    headers: answer,
    body: text,
    rstCode: stream.rstCode,
    error,
  };
}

/** A simulator and one client of it. */
export interface Pair extends AsyncDisposable {
  readonly simulator: ApnsSimulator;
  readonly client: Client;
  /** Headers of a good push, for requests by hand. */
  readonly headers: OutgoingHttpHeaders;
  readonly bearer: (issuedAt: number) => string;
}

export async function startPair(options: ApnsSimulatorOptions = {}): Promise<Pair> {
  const simulator = await startApnsSimulator(options);
  const client = await connectTo(simulator);
  return {
    simulator,
    client,
    headers: GOOD_HEADERS,
    bearer: unsignedBearer,
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]();
      await simulator[Symbol.asyncDispose]();
    },
  };
}
