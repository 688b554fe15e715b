import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

import { type ProviderKey } from "../index.ts";
import { type SignatureEncoding } from "../validation/provider-token.ts";

/** A provider's key pair, able to mint bearers, right or wrong. */
export interface SigningKey {
  readonly registered: ProviderKey;
  readonly bearer: (
    issuedAt: number,
    claims?: { readonly teamId?: string; readonly keyId?: string; readonly encoding?: SignatureEncoding },
  ) => string;
}

export function aSigningKey(details: Partial<ProviderKey> = {}): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const registered: ProviderKey = {
    keyId: "KEYID12345",
    teamId: "TEAMID1234",
    publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(),
    ...details,
  };
  return {
    registered,
    bearer: (issuedAt, claims = {}) => {
      const { teamId, keyId, encoding } = { ...registered, encoding: "ieee-p1363" as const, ...claims };
      const signing = { key: privateKey, dsaEncoding: encoding };
      return `bearer ${signed({ alg: "ES256", kid: keyId }, { iss: teamId, iat: seconds(issuedAt) }, signing)}`;
    },
  };
}

const seconds = (ms: number): number => Math.floor(ms / 1_000);

function signed(
  header: object,
  claims: object,
  signing: { readonly key: KeyObject; readonly dsaEncoding: SignatureEncoding },
): string {
  const text = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  const signature = sign("sha256", Buffer.from(text), signing);
  return `${text}.${signature.toString("base64url")}`;
}
