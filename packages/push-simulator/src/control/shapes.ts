import { type DeathReason } from "../devices/devices.ts";
import { type Throttle } from "../devices/throttle.ts";
import { type ErrorCode, isErrorName } from "../error-code.ts";
import { type ConnectFault } from "../faults/connect-faults.ts";
import { type Goaway } from "../faults/goaway.ts";
import { type Fault, type PushMatch, type Rule } from "../faults/rule.ts";
import { type Latency } from "../latency.ts";
import { type Behaviour } from "../settings.ts";
import { type Environment } from "../validation/provider-token.ts";
import {
  type Check,
  complain,
  either,
  isCount,
  isFlag,
  isNumber,
  isText,
  isWithin,
  listOf,
  oneOf,
  oneOfKind,
  optional,
  recordOf,
  shape,
} from "./check.ts";

const isErrorCode: Check<ErrorCode> = (value, at, problems): value is ErrorCode =>
  (typeof value === "string" && isErrorName(value)) || isWithin(0, 2 ** 32 - 1)(value, at, problems);

const NAME = /^[a-z0-9-]+$/;
const VALUE = /^[\x20-\x7e]*$/;
const OF_ONE_CONNECTION = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** Headers that HTTP/2 lets a server send; others would fail only when the push is answered. */
const isHeaders: Check<Readonly<Record<string, string>>> = (
  value,
  at,
  problems,
): value is Readonly<Record<string, string>> =>
  Object.entries(recordOf(value) ?? { "": undefined }).every(
    ([name, one]) =>
      (typeof one === "string" && NAME.test(name) && VALUE.test(one) && !OF_ONE_CONNECTION.has(name)) ||
      complain(`${at}.${name}`, "response headers in lower case", problems),
  );

const isStatus = isWithin(200, 599);

export const isLatency = oneOfKind<Latency>({
  fixed: { ms: isNumber },
  uniform: { from: isNumber, to: isNumber },
  "log-normal": { median: isNumber, sigma: isNumber },
});

const goawayFields = {
  code: optional(isErrorCode),
  reason: optional(isText),
  lastStreamId: optional(isCount),
  keep: optional(isCount),
  double: optional(isFlag),
  close: optional(oneOf("answered", "never")),
};

export const isGoaway = shape<Goaway>({ connection: optional(isCount), ...goawayFields });

const isFault = oneOfKind<Fault>({
  answer: {
    status: isStatus,
    reason: optional(isText),
    timestamp: optional(isNumber),
    body: optional(isText),
    headers: optional(isHeaders),
    processed: optional(isFlag),
  },
  "reset-stream": {
    code: optional(isErrorCode),
    processed: optional(isFlag),
  },
  "reset-connection": { processed: optional(isFlag) },
  "headers-only": {
    status: optional(isStatus),
    processed: optional(isFlag),
  },
  "no-answer": { processed: optional(isFlag) },
  goaway: { ...goawayFields },
  shutdown: {},
});

const isMatch = shape<PushMatch>({
  token: optional(isText),
  tokenPrefix: optional(isText),
  topic: optional(isText),
  pushType: optional(isText),
  connection: optional(isCount),
});

export const isRule = shape<Rule>({
  match: optional(isMatch),
  at: optional(oneOf("arrival", "acceptance")),
  times: optional(isCount),
  skip: optional(isCount),
  share: optional(isNumber),
  latency: optional(isLatency),
  fault: optional(isFault),
});

export const isConnectFault = oneOfKind<ConnectFault>({
  reset: {},
  "no-tls": {},
  "slow-tls": { ms: isNumber },
  "no-settings": {},
  close: {},
});

export const isConnectFaultOrder = shape<{ readonly fault: ConnectFault; readonly times?: number }>({
  fault: isConnectFault,
  times: optional(isCount),
});

const isThrottle = shape<Throttle>({ burst: isNumber, refillMs: isNumber });

export const isBehaviourChange = shape<Partial<Behaviour>>({
  streamLimit: optional(isCount),
  firstStreamLimit: optional(isCount),
  narrowAfterRefusal: optional(isFlag),
  onTooManyStreams: optional(oneOf("refuse-stream", "goaway")),
  latency: optional(isLatency),
  stallShare: optional(isNumber),
  throttle: optional(either(oneOf("none"), isThrottle)),
  wedgeAfter: optional(listOf(isText)),
  badTokensPerConnection: optional(either(oneOf("unlimited"), isCount)),
  answerGoaway: optional(isFlag),
});

/** What `POST /_sim/tokens` does to the devices of these tokens. */
export interface DeviceOrder {
  readonly tokens: readonly string[];
  readonly state: "registered" | "dead" | "bad" | "offline" | "online" | "forgotten";
  readonly reason?: DeathReason;
  readonly timestamp?: number;
  readonly topics?: readonly string[];
  readonly environment?: Environment;
}

export const isDeviceOrder = shape<DeviceOrder>({
  tokens: listOf(isText),
  state: oneOf("registered", "dead", "bad", "offline", "online", "forgotten"),
  reason: optional(oneOf("Unregistered", "ExpiredToken")),
  timestamp: optional(isNumber),
  topics: optional(listOf(isText)),
  environment: optional(oneOf("production", "sandbox")),
});

/** Which connection something is done to; to all if left out. */
export const isConnectionOrder = shape<{ readonly connection?: number }>({ connection: optional(isCount) });

export const isResetStreamsOrder = shape<{ readonly connection?: number; readonly code?: ErrorCode }>({
  connection: optional(isCount),
  code: optional(isErrorCode),
});
