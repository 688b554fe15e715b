import { headerOf, type PushRequest } from "../push-request.ts";
import { type Refusal, refuse } from "../refusal.ts";
import { type ClientCertificate } from "./client-certificate.ts";
import {
  type Environment,
  type ProviderToken,
  type ProviderTokens,
  type SignatureEncoding,
} from "./provider-token.ts";

const MINUTE = 60_000;
const TOKEN_LIFE = 60 * MINUTE;
const LEAST_BETWEEN_TOKENS = 20 * MINUTE;
/** Apple documents no tolerance for clocks that run ahead; one minute forgives rounding, not a wrong clock. */
const AHEAD_ALLOWED = MINUTE;

/** Who a connection belongs to: settled by its first push, held against the later ones. */
export interface ConnectionIdentity {
  /** Present when the client showed a certificate: then tokens are ignored. */
  readonly certificate: ClientCertificate | undefined;
  teamId?: string;
  keyId?: string;
  bearer?: string;
  signature?: SignatureEncoding;
  /** When the connection last saw a token it had not seen before. */
  bearerSince?: number;
}

/** When the tokens of each key were issued that any connection has used, for `limitTokensOf: "key"`. */
export type TokensSeen = Map<string, Map<string, number>>;

export interface Authentication {
  readonly tokens: ProviderTokens;
  readonly environment: Environment;
  /**
   * Whose new tokens are counted for TooManyProviderTokenUpdates. A connection's by the time of their first use;
   * a key's by the time they were issued, since use is scattered over connections.
   */
  readonly limitTokensOf: "connection" | "key";
  readonly seen: TokensSeen;
}

/** A push whose sender is known. */
export interface Authenticated {
  readonly token: ProviderToken | undefined;
}

/** Step 3: who sends? Writes into `identity` what the connection is bound to from now on. */
export function authenticate(
  request: PushRequest,
  identity: ConnectionIdentity,
  authentication: Authentication,
  now: number,
): Authenticated | Refusal {
  if (identity.certificate !== undefined) {
    const { refusal } = identity.certificate;
    return refusal === undefined ? { token: undefined } : refuse(refusal);
  }
  const bearer = /^bearer (.+)$/i.exec(headerOf(request, "authorization") ?? "")?.[1];
  if (bearer === undefined) return refuse("MissingProviderToken");
  const token = authentication.tokens.read(bearer);
  if (token === undefined) return refuse("InvalidProviderToken");
  const misfit = refuseToken(token, identity, authentication.environment, now);
  if (misfit !== undefined) return misfit;
  if (identity.bearer === bearer) return { token };
  if (isTooSoon(identity.bearerSince, now) || isOneTooMany(bearer, token, authentication, now)) {
    return refuse("TooManyProviderTokenUpdates");
  }
  const { teamId, keyId, signature } = token;
  Object.assign(identity, { bearer, bearerSince: now, teamId, keyId, signature });
  return { token };
}

function refuseToken(
  token: ProviderToken,
  { teamId = token.teamId, keyId = token.keyId }: ConnectionIdentity,
  environment: Environment,
  now: number,
): Refusal | undefined {
  if (token.issuedAt > now + AHEAD_ALLOWED) return refuse("InvalidProviderToken");
  if (token.issuedAt < now - TOKEN_LIFE) return refuse("ExpiredProviderToken");
  if (teamId !== token.teamId) return refuse("InvalidProviderToken");
  if (keyId !== token.keyId) return refuse("UnrelatedKeyIdInToken");
  const isForHere = (token.key?.environment ?? environment) === environment;
  return isForHere ? undefined : refuse("BadEnvironmentKeyIdInToken");
}

const isTooSoon = (since: number | undefined, now: number): boolean =>
  since !== undefined && now - since < LEAST_BETWEEN_TOKENS;

function isOneTooMany(
  bearer: string,
  token: ProviderToken,
  authentication: Authentication,
  now: number,
): boolean {
  const { limitTokensOf, seen } = authentication;
  if (limitTokensOf === "connection") return false;
  const ofKey = seen.get(token.keyId) ?? new Map<string, number>();
  seen.set(token.keyId, ofKey);
  if (ofKey.has(bearer)) return false;
  for (const [other, issuedAt] of ofKey) if (issuedAt < now - 2 * TOKEN_LIFE) ofKey.delete(other);
  const isNearAnother = [...ofKey.values()].some(
    (issuedAt) => Math.abs(issuedAt - token.issuedAt) < LEAST_BETWEEN_TOKENS,
  );
  if (!isNearAnother) ofKey.set(bearer, token.issuedAt);
  return isNearAnother;
}
