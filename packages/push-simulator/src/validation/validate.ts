import { type PushRequest } from "../push-request.ts";
import { type Refusal } from "../refusal.ts";
import { authenticate, type Authentication, type ConnectionIdentity } from "./authentication.ts";
import { refuseDuplicateHeaders } from "./duplicate-headers.ts";
import { refuseHeaders } from "./headers.ts";
import { refusePayload } from "./payload.ts";
import { refuseTarget } from "./target.ts";
import { refuseTopic } from "./topic.ts";

/** What all connections are judged by. */
export interface Validation {
  readonly authentication: Authentication;
  /** Topics that exist; all if left out. A key may narrow them. */
  readonly topics: readonly string[] | undefined;
}

/** The judgement on a request, before its device is looked up. */
export interface Judgement {
  readonly authenticated: boolean;
  readonly refusal: Refusal | undefined;
}

/**
 * Steps 1 to 6, the first fault found decides. Apple says that a request is authenticated before the token is
 * looked up; the order of the rest is not documented.
 */
export function judge(
  request: PushRequest,
  identity: ConnectionIdentity,
  { authentication, topics }: Validation,
  now: number,
): Judgement {
  const early = refuseTarget(request) ?? refuseDuplicateHeaders(request);
  if (early !== undefined) return { authenticated: false, refusal: early };
  const sender = authenticate(request, identity, authentication, now);
  if ("reason" in sender) return { authenticated: false, refusal: sender };
  const allowed = sender.token?.key?.topics ?? topics;
  const refusal =
    refuseTopic(request, identity.certificate?.topic, allowed) ??
    refuseHeaders(request) ??
    refusePayload(request);
  return { authenticated: true, refusal };
}
