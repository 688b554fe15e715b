import { type Check, complain, isCount, isText, listOf, optional, shape } from "../control/check.ts";
import { order, type Route, type Routes } from "../control/routes.ts";
import { type FcmRule, type FcmSimulator } from "./fcm-simulator.ts";
import { ERROR_CODES, type FcmErrorCode, isErrorCode } from "./refusal.ts";

const isCode: Check<FcmErrorCode> = (value, at, problems): value is FcmErrorCode =>
  (typeof value === "string" && isErrorCode(value)) || complain(at, ERROR_CODES.join(" or "), problems);

const isRetryAfter: Check<number | string> = (value, at, problems): value is number | string =>
  typeof value === "string" || isCount(value, at, problems);

const isAt: Check<"arrival" | "acceptance"> = (value, at, problems): value is "arrival" | "acceptance" =>
  value === "arrival" || value === "acceptance" || complain(at, "arrival or acceptance", problems);

const isFcmRule = shape<FcmRule>({
  errorCode: optional(isCode),
  answer: optional(shape({ status: isCount, body: isText })),
  retryAfter: optional(isRetryAfter),
  at: optional(isAt),
  token: optional(isText),
  times: optional(isCount),
});

const isTokens = shape<{ readonly tokens: readonly string[] }>({ tokens: listOf(isText) });

/** The control API of an FCM simulator. */
export const fcmRoutesOf = (simulator: FcmSimulator): Routes =>
  new Map<string, Route>([
    ["GET /_sim/stats", () => ({ pushes: simulator.pushes.length, granted: simulator.granted() })],
    ["GET /_sim/ledger", (_body, query) => ledgerOf(simulator, query.get("token"))],
    [
      "GET /_sim/account",
      () => ({ account: simulator.serviceAccount, ca: simulator.ca, url: simulator.url }),
    ],
    ["POST /_sim/rules", order(isFcmRule, simulator.addRule)],
    ["POST /_sim/kill", order(isTokens, ({ tokens }) => simulator.kill(tokens))],
    ["POST /_sim/revoke", () => simulator.revoke()],
  ]);

const ledgerOf = ({ pushes }: FcmSimulator, token: string | null): unknown =>
  pushes.filter(({ message }) => token === null || message?.token === token);
