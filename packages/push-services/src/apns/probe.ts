import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
} from "node:http2";
import { type TLSSocket } from "node:tls";

import { type Clock, networkTrouble, type PushModule } from "@reveille/wakeup";

import { loadCredential } from "../credentials/credential.ts";
import { dial } from "../http2/dial.ts";
import { authorityOf, systemResolver } from "../http2/endpoint.ts";
import { type ApnsModuleSettings } from "../module-settings.ts";
import { endpointOf } from "./endpoint-of.ts";
import { formsOf, pushToNobody } from "./notification.ts";
import { providerTokens } from "./provider-token.ts";

/** What APNs says to a push that cannot arrive. */
export type ProbeAnswer =
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly reason: string;
      /** Its clock, as the header `date` has it. */
      readonly date: string | undefined;
    }
  | { readonly kind: "unreachable"; readonly because: string };

export interface ProbeOptions {
  readonly module: PushModule;
  readonly settings: ApnsModuleSettings;
  readonly clock: Clock;
  /** Aborts when it has taken too long. */
  readonly signal: AbortSignal;
}

/**
 * Sends one push for a device that cannot exist, on a connection of its own: shows whether APNs can be reached and
 * takes the module's credential, topic and payload. Throws as {@link loadCredential} does, and for a payload that
 * Apple would refuse.
 */
export async function probeApns({ module, settings, clock, signal }: ProbeOptions): Promise<ProbeAnswer> {
  const { credential, ca } = await loadCredential(settings.apns);
  const { path, form, ownHeaders } = pushToNobody(formsOf(module, settings), settings, clock.now());
  const endpoint = endpointOf(settings.apns, credential, ca);
  const headers = {
    ":method": "POST",
    ":path": path,
    ":authority": authorityOf(endpoint),
    ...pairs([...form.headers, ...ownHeaders]),
    ...(credential.kind === "token"
      ? { authorization: providerTokens(credential.issuer, clock)().bearer }
      : {}),
  };
  try {
    const socket = await dial(endpoint, systemResolver, signal);
    return await answerTo({ headers, body: form.body }, socket, signal);
  } catch (error) {
    return { kind: "unreachable", because: signal.aborted ? "no answer in time" : messageOf(error) };
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function pairs(inTurn: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let at = 0; at + 1 < inTurn.length; at += 2) headers[inTurn[at] ?? ""] = inTurn[at + 1] ?? "";
  return headers;
}

interface Push {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

async function answerTo(push: Push, socket: TLSSocket, signal: AbortSignal): Promise<ProbeAnswer> {
  const session = connect(`https://${push.headers[":authority"]}`, { createConnection: () => socket });
  const failed = Promise.withResolvers<never>();
  session.once("error", (cause) => failed.reject(new Error(networkTrouble(cause), { cause })));
  signal.addEventListener("abort", () => failed.reject(new Error("no answer in time")), { once: true });
  // Nobody may be left to hear it, once the answer is there.
  failed.promise.catch(() => undefined);
  try {
    return await Promise.race([exchange(session, push), failed.promise]);
  } finally {
    session.destroy();
  }
}

async function exchange(session: ClientHttp2Session, { headers, body }: Push): Promise<ProbeAnswer> {
  const stream = session.request(headers);
  const response = new Promise<IncomingHttpHeaders>((resolve, reject) => {
    stream.once("response", resolve).once("error", reject);
  });
  stream.end(body);
  const heard = await response;
  const reason = reasonIn(await beginningOf(stream));
  return { kind: "answered", status: Number(heard[":status"]), reason, date: heard.date };
}

/** Bytes; Apple's longest answer has some 60. */
const LONGEST_BODY = 4_096;

async function beginningOf(stream: ClientHttp2Stream): Promise<string> {
  let body = "";
  for await (const chunk of stream.setEncoding("latin1")) {
    body += String(chunk);
    if (body.length >= LONGEST_BODY) break;
  }
  return body;
}

function reasonIn(body: string): string {
  const [, reason] = /"reason"\s*:\s*"(\w+)"/.exec(body) ?? [];
  return reason ?? "";
}
