import { systemClock, type SimulatorClock } from "../clock.ts";
import { serverIdentity } from "../certificate/server-identity.ts";
import { type Latency, sampleLatency } from "../latency.ts";
import { seededRandom } from "../random.ts";
import { type FcmMessage, readMessage } from "./message.ts";
import { AuthorizationServer, makeServiceAccount, type ServiceAccount } from "./oauth.ts";
import { type FcmErrorCode, type FcmRefusal, FORBIDDEN, refusalOf, UNAUTHENTICATED } from "./refusal.ts";
import { type FcmAnswer, type FcmServer, listenForFcm } from "./serve-fcm.ts";

export interface FcmSimulatorOptions {
  /** Default `demo-project`. */
  readonly projectId?: string;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default none. */
  readonly latency?: Latency;
  /** MAX_CONCURRENT_STREAMS; default 100, as Google's. */
  readonly streamLimit?: number;
  /** Seed of all chance; default 1. */
  readonly seed?: number;
  /** Default the machine's. */
  readonly clock?: SimulatorClock;
}

/** An answer in place of the usual one, for the next messages it matches. */
export interface FcmRule {
  /** What FCM answers; or else `answer`. */
  readonly errorCode?: FcmErrorCode;
  /** Whatever may come: without a code, or a page of a proxy. */
  readonly answer?: { readonly status: number; readonly body: string };
  /** Header Retry-After: seconds, or a date as it is to be written. */
  readonly retryAfter?: number | string;
  /** `arrival`: before the message is looked at, as with a trouble of the project; default: when it would be accepted. */
  readonly at?: "arrival" | "acceptance";
  /** Only for this device; all, if left out. */
  readonly token?: string;
  /** Default 1. */
  readonly times?: number;
}

/** One call of `messages:send`, in the order of the answers. */
export interface FcmPush {
  /** `undefined` if the message could not be read. */
  readonly message: FcmMessage | undefined;
  readonly status: number;
  readonly at: number;
}

/** Google's FCM HTTP v1 and the authorization server before it, on one port. */
export interface FcmSimulator extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** What clients must trust, as PEM. */
  readonly ca: string;
  readonly projectId: string;
  /** The file of the service account that may send here. */
  readonly serviceAccount: string;
  readonly pushes: readonly FcmPush[];
  /** Access tokens handed out. */
  readonly granted: () => number;
  readonly connections: () => number;
  readonly addRule: (rule: FcmRule) => void;
  /** From now on these devices are UNREGISTERED. */
  readonly kill: (tokens: readonly string[]) => void;
  /** All access tokens are worth nothing from now on. */
  readonly revoke: () => void;
  /** Another key for the service account; the old one signs nothing any more. */
  readonly rotateKey: () => string;
  /** All connections hear GOAWAY, with this debug data. */
  readonly goaway: (detail: string) => void;
}

/** Resolves when it accepts connections; rejects if it cannot listen. */
export async function startFcmSimulator(options: FcmSimulatorOptions = {}): Promise<FcmSimulator> {
  const { projectId = "demo-project", clock = systemClock } = options;
  const random = seededRandom(options.seed ?? 1);
  const identity = serverIdentity({});
  const authorization = new AuthorizationServer(clock);
  const rules: { rule: FcmRule; left: number }[] = [];
  const dead = new Set<string>();
  const pushes: FcmPush[] = [];
  const tokenUri = (): string => `${server.url}/token`;
  const server: FcmServer = await listenForFcm({
    ...identity,
    host: options.host ?? "127.0.0.1",
    port: options.port ?? 0,
    streamLimit: options.streamLimit ?? 100,
    answer: async ({ path, authorization: shown, body }) => {
      if (path === "/token") return grant(body);
      const { answer, message } = judge(path, shown, body);
      const wait = options.latency === undefined ? 0 : sampleLatency(options.latency, random);
      if (wait > 0) await clock.sleep(wait);
      pushes.push({ message, status: answer.status, at: clock.now() });
      return answer;
    },
  });
  let account = newAccount();

  return {
    port: server.port,
    url: server.url,
    ca: identity.ca,
    projectId,
    get serviceAccount() {
      return account.json(tokenUri());
    },
    pushes,
    granted: () => authorization.granted,
    connections: server.connections,
    addRule: (rule) => void rules.push({ rule, left: rule.times ?? 1 }),
    kill: (tokens) => {
      for (const token of tokens) dead.add(token);
    },
    revoke: () => authorization.revoke(),
    rotateKey: () => {
      account = newAccount();
      return account.json(tokenUri());
    },
    goaway: server.goaway,
    [Symbol.asyncDispose]: server[Symbol.asyncDispose],
  };

  function newAccount(): ServiceAccount {
    const made = makeServiceAccount(projectId);
    authorization.register(made);
    return made;
  }

  function grant(form: string): FcmAnswer {
    const answer = authorization.grant(form, tokenUri());
    return { status: "error" in answer ? 400 : 200, body: answer };
  }

  function judge(path: string, shown: string | undefined, body: string): Judged {
    if (!authorization.accepts(shown)) return refused(UNAUTHENTICATED);
    if (path !== `/v1/projects/${projectId}/messages:send`) return refused(FORBIDDEN);
    const message = readMessage(body);
    const readable = "status" in message ? undefined : message;
    const early = byRule("arrival", readable);
    if (early !== undefined) return early;
    if ("status" in message) return refused(message);
    if (dead.has(message.token)) return refused(refusalOf("UNREGISTERED"), message);
    const late = byRule("acceptance", message);
    if (late !== undefined) return late;
    const name = `projects/${projectId}/messages/0:${clock.now()}%${pushes.length}`;
    return { message, answer: { status: 200, body: { name } } };
  }

  function byRule(at: FcmRule["at"], message: FcmMessage | undefined): Judged | undefined {
    const order = rules.find(
      ({ rule, left }) =>
        left > 0 &&
        (rule.at ?? "acceptance") === at &&
        (rule.token === undefined || rule.token === message?.token),
    );
    if (order === undefined) return undefined;
    order.left -= 1;
    const { errorCode = "INTERNAL", answer, retryAfter } = order.rule;
    const wait = retryAfter === undefined ? {} : { retryAfter };
    return answer === undefined
      ? refused({ ...refusalOf(errorCode), ...wait }, message)
      : { message, answer: { ...answer, ...wait } };
  }
}

interface Judged {
  readonly message: FcmMessage | undefined;
  readonly answer: FcmAnswer;
}

const refused = (
  { status, code, message: text, details, retryAfter }: FcmRefusal,
  message?: FcmMessage,
): Judged => ({
  message,
  answer: {
    status,
    body: { error: { code: status, message: text, status: code, details } },
    ...(retryAfter === undefined ? {} : { retryAfter }),
  },
});
