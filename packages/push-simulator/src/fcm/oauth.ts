import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, verify } from "node:crypto";

import { type SimulatorClock } from "../clock.ts";
import { recordOf } from "../control/check.ts";

const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const SCOPES = "https://www.googleapis.com/auth/";
/** Each of these is enough for `messages:send`. */
const MESSAGING = [`${SCOPES}firebase.messaging`, `${SCOPES}cloud-platform`];
/** Google's own address is the audience that its libraries claim, whatever the account's file says. */
const GOOGLE = ["https://oauth2.googleapis.com/token", "https://accounts.google.com/o/oauth2/token"];
const LIFETIME = 3_600;

/** A service account as Google hands it out, with its key. */
export interface ServiceAccount {
  readonly clientEmail: string;
  /** The text of the file, `token_uri` included. */
  readonly json: (tokenUri: string) => string;
  readonly publicKey: KeyObject;
}

/** A new one with a key of its own. */
export function makeServiceAccount(projectId: string): ServiceAccount {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2_048,
    privateKeyEncoding: { format: "pem", type: "pkcs8" },
    publicKeyEncoding: { format: "pem", type: "spki" },
  });
  const keyId = randomBytes(20).toString("hex");
  const clientEmail = `pusher@${projectId}.iam.gserviceaccount.com`;
  const fields = {
    type: "service_account",
    project_id: projectId,
    private_key_id: keyId,
    private_key: privateKey,
    client_email: clientEmail,
  };
  const json = (tokenUri: string): string => JSON.stringify({ ...fields, token_uri: tokenUri }, undefined, 2);
  return { clientEmail, json, publicKey: createPublicKey(publicKey) };
}

export interface Granted {
  readonly access_token: string;
  readonly expires_in: number;
  readonly token_type: "Bearer";
}

export interface Denied {
  readonly error: "invalid_grant" | "invalid_request" | "invalid_scope" | "unsupported_grant_type";
  readonly error_description: string;
}

/** Google's authorization server, as far as service accounts need it (RFC 7523 §2.1). */
export class AuthorizationServer {
  readonly #clock: SimulatorClock;
  readonly #accounts = new Map<string, KeyObject>();
  readonly #expiries = new Map<string, number>();
  granted = 0;

  constructor(clock: SimulatorClock) {
    this.#clock = clock;
  }

  register({ clientEmail, publicKey }: ServiceAccount): void {
    this.#accounts.set(clientEmail, publicKey);
  }

  /** All access tokens are worth nothing from now on, though they have not expired. */
  revoke(): void {
    this.#expiries.clear();
  }

  accepts(authorization: string | undefined): boolean {
    const [scheme, token = ""] = (authorization ?? "").split(" ");
    return scheme === "Bearer" && (this.#expiries.get(token) ?? 0) > this.#clock.now();
  }

  /** `form`: the body of the request; `audience`: the address it was sent to. */
  grant(form: string, audience: string): Granted | Denied {
    const fields = new URLSearchParams(form);
    if (fields.get("grant_type") !== GRANT_TYPE) {
      return {
        error: "unsupported_grant_type",
        error_description: `Invalid grant_type: ${fields.get("grant_type")}`,
      };
    }
    const because = this.#mistakeIn(fields.get("assertion") ?? "", audience);
    if (because !== undefined) return because;
    const token = `ya29.${randomBytes(48).toString("base64url")}`;
    this.#expiries.set(token, this.#clock.now() + LIFETIME * 1_000);
    this.granted += 1;
    return { access_token: token, expires_in: LIFETIME, token_type: "Bearer" };
  }

  #mistakeIn(assertion: string, audience: string): Denied | undefined {
    const [header = "", claims = "", signature = ""] = assertion.split(".");
    const { alg } = jsonOf(header);
    const { iss, scope, aud, iat, exp } = jsonOf(claims);
    const key = typeof iss === "string" ? this.#accounts.get(iss) : undefined;
    if (key === undefined) return invalid("Invalid grant: account not found");
    const isSigned =
      alg === "RS256" &&
      verify("sha256", Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, "base64url"));
    if (!isSigned) return invalid("Invalid JWT Signature.");
    if (aud !== audience && !GOOGLE.includes(String(aud)))
      return invalid("Invalid JWT: Failed audience check.");
    const now = this.#clock.now() / 1_000;
    const isOfNow =
      typeof iat === "number" &&
      typeof exp === "number" &&
      iat <= now + 60 &&
      exp > now &&
      exp - iat <= LIFETIME;
    if (!isOfNow) {
      return invalid(
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.",
      );
    }
    return isForMessaging(scope)
      ? undefined
      : { error: "invalid_scope", error_description: "Invalid OAuth scope or ID token audience provided." };
  }
}

function isForMessaging(scope: unknown): boolean {
  const scopes = typeof scope === "string" ? scope.split(" ") : [];
  return scopes.every((one) => one.startsWith(SCOPES)) && scopes.some((one) => MESSAGING.includes(one));
}

const invalid = (because: string): Denied => ({ error: "invalid_grant", error_description: because });

function jsonOf(part: string): Readonly<Record<string, unknown>> {
  try {
    return recordOf(JSON.parse(Buffer.from(part, "base64url").toString())) ?? {};
  } catch {
    // No JSON: nothing in it.
    return {};
  }
}
