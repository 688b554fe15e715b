import { type Clock, type EpochMillis, epochMillis, minutes } from "@reveille/wakeup";

import { signEs256, type SigningKey } from "./es256.ts";

/** A provider token ("Establishing a token-based connection to APNs"). Secret. */
export interface ProviderToken {
  /** Value of the `authorization` header. */
  readonly bearer: string;
  /** Its `iat`. Apple refuses it 60 minutes later. */
  readonly issuedAt: EpochMillis;
}

export interface TokenIssuer {
  readonly key: SigningKey;
  readonly keyId: string;
  readonly teamId: string;
}

/** How long everybody shows the same token. Apple wants no more than one new token in 20 minutes. */
const TERM = minutes(35);

/**
 * Tokens are dated back, so that a host whose clock is ahead by as much shows none from the future, which Apple
 * refuses as it does a forged one.
 */
const DATED_BACK = minutes(10);

/**
 * The token of this moment. Time is cut into terms that begin at the same instants everywhere and the signature
 * is deterministic: all processes with this key show Apple one token without knowing of each other. `rotated` is
 * called for each token made.
 */
export function providerTokens(
  issuer: TokenIssuer,
  clock: Clock,
  rotated: (issuedAt: EpochMillis) => void = () => undefined,
): () => ProviderToken {
  let token: ProviderToken | undefined;
  return () => {
    const issuedAt = epochMillis(Math.floor(Math.max(0, clock.now() - DATED_BACK) / TERM) * TERM);
    if (token?.issuedAt === issuedAt) return token;
    token = { bearer: `bearer ${jwtOf(issuer, issuedAt)}`, issuedAt };
    rotated(issuedAt);
    return token;
  };
}

function jwtOf({ key, keyId, teamId }: TokenIssuer, issuedAt: EpochMillis): string {
  const header = encode({ alg: "ES256", kid: keyId });
  const text = `${header}.${encode({ iss: teamId, iat: issuedAt / 1_000 })}`;
  return `${text}.${signEs256(key, text)}`;
}

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");
