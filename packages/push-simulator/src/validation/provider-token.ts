import { createPublicKey, type KeyObject, verify } from "node:crypto";

/** A provider's signing key as Apple knows it. */
export interface ProviderKey {
  /** Ten characters, the `kid` of the tokens. */
  readonly keyId: string;
  /** The `iss` of the tokens. */
  readonly teamId: string;
  /** The public key, or the private one, as PEM. */
  readonly publicKey: string;
  /** Topics the key may push to; all if left out. */
  readonly topics?: readonly string[];
  /** The only environment the key is good for; both if left out. */
  readonly environment?: Environment;
}

export type Environment = "production" | "sandbox";

/** What a bearer proves. `key` is missing when no keys are registered: then nobody's signature is checked. */
export interface ProviderToken {
  readonly keyId: string;
  readonly teamId: string;
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
  readonly key: ProviderKey | undefined;
  readonly signature: SignatureEncoding;
}

/** Two numbers of 32 bytes (RFC 7518 §3.4), or those in DER, as Pushy writes them and Apple evidently accepts. */
export type SignatureEncoding = "ieee-p1363" | "der";

const P1363_BYTES = 64;

/** Tokens are few and pushes are many, while verifying costs more than all the rest of a push. */
const REMEMBERED = 1_000;

/** Reads and verifies bearers, each text once. */
export class ProviderTokens {
  readonly #keys = new Map<string, { readonly key: ProviderKey; readonly publicKey: KeyObject }>();
  readonly #known = new Map<string, ProviderToken | undefined>();

  constructor(keys: readonly ProviderKey[]) {
    for (const key of keys) this.#keys.set(key.keyId, { key, publicKey: createPublicKey(key.publicKey) });
  }

  /** `undefined` for everything that is not a JWT with ES256 by a registered key of the right team. */
  read(bearer: string): ProviderToken | undefined {
    if (this.#known.has(bearer)) return this.#known.get(bearer);
    const token = this.#verified(bearer);
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    this.#known.set(bearer, token);
    return token;
  }

  #verified(bearer: string): ProviderToken | undefined {
    const [header = "", claims = "", signature = "", ...rest] = bearer.split(".");
    const claimed = rest.length === 0 ? claimedBy(header, claims) : undefined;
    if (claimed === undefined || signature === "") return undefined;
    const bytes = Buffer.from(signature, "base64url");
    const encoding: SignatureEncoding = bytes.length === P1363_BYTES ? "ieee-p1363" : "der";
    if (this.#keys.size === 0) return { ...claimed, key: undefined, signature: encoding };
    const known = this.#keys.get(claimed.keyId);
    if (known === undefined || known.key.teamId !== claimed.teamId) return undefined;
    const valid = verify(
      "sha256",
      Buffer.from(`${header}.${claims}`),
      { key: known.publicKey, dsaEncoding: encoding },
      bytes,
    );
    return valid ? { ...claimed, key: known.key, signature: encoding } : undefined;
  }
}

function claimedBy(header: string, claims: string): Omit<ProviderToken, "key" | "signature"> | undefined {
  const { alg, kid } = recordIn(header);
  const { iss, iat } = recordIn(claims);
  if (alg !== "ES256" || typeof kid !== "string" || typeof iss !== "string") return undefined;
  if (typeof iat !== "number" || !Number.isFinite(iat) || iss === "" || kid === "") return undefined;
  return { keyId: kid, teamId: iss, issuedAt: iat * 1_000 };
}

function recordIn(part: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString());
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {}; // foreign text that is no JSON claims nothing
  }
}
