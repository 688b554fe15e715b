import { type TLSSocket } from "node:tls";

import { oid } from "../certificate/der.ts";
import { type Reason } from "../refusal.ts";
import { type Environment } from "./provider-token.ts";

/** What a client's certificate lets it do. */
export interface ClientCertificate {
  /** The topic in the certificate's UID, if it has one. */
  readonly topic: string | undefined;
  /** Why every push of this client is refused, if so. */
  readonly refusal: Reason | undefined;
}

/** Extensions by which Apple marks what a push certificate is good for. */
export const APPLE_ENVIRONMENT = {
  sandbox: "1.2.840.113635.100.6.3.1",
  production: "1.2.840.113635.100.6.3.2",
} as const satisfies Record<Environment, string>;

/** The certificate a client has shown, judged; `undefined` if it showed none. */
export function clientCertificateOf(
  socket: TLSSocket,
  environment: Environment,
): ClientCertificate | undefined {
  const shown = socket.getPeerX509Certificate();
  if (shown === undefined) return undefined;
  const topic = /^UID=(.+)$/m.exec(shown.subject)?.[1];
  if (!socket.authorized) return { topic, refusal: "BadCertificate" };
  const isFor = (which: Environment): boolean => shown.raw.includes(oid(APPLE_ENVIRONMENT[which]));
  const isMarked = isFor("sandbox") || isFor("production");
  return { topic, refusal: isMarked && !isFor(environment) ? "BadCertificateEnvironment" : undefined };
}
