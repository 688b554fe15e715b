import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, rootCertificates, type TLSSocket } from "node:tls";

import { type Target } from "./dns.ts";
import { withTimeout } from "../with-timeout.ts";
import { type DoctorContext } from "./doctor-context.ts";
import { type ServedCertificate } from "./served-certificate.ts";

export interface S2sAddress extends Pick<Target, "port" | "tls"> {
  readonly domain: string;
  readonly address: string;
}

/** Connects as another server would, as far as the certificate. Throws an Error that says how far it got. */
export async function openTls(
  to: S2sAddress,
  context: Pick<DoctorContext, "clock" | "timeout" | "authorities">,
): Promise<ServedCertificate> {
  return withTimeout(context, async (signal) => {
    await using opened = new AsyncDisposableStack();
    const tcp = connectTcp({ host: to.address, port: to.port });
    opened.defer(() => void tcp.destroy());
    await happened(tcp, "connect", signal, "cannot connect");
    if (to.tls === "starttls") await startTls(tcp, to.domain, signal);
    const secure = connectTls({
      socket: tcp,
      servername: to.domain,
      ALPNProtocols: to.tls === "direct" ? ["xmpp-server"] : [],
      // Whether it is to be trusted is for the judgement.
      rejectUnauthorized: false,
      ...(context.authorities === undefined ? {} : { ca: [...rootCertificates, context.authorities] }),
    });
    opened.defer(() => void secure.destroy());
    await happened(secure, "secureConnect", signal, "no TLS");
    return servedBy(secure, to.domain);
  });
}

function servedBy(secure: TLSSocket, domain: string): ServedCertificate {
  const certificate = secure.getPeerX509Certificate();
  if (certificate === undefined) throw new Error("no certificate was shown");
  return {
    expiresAt: certificate.validToDate.getTime(),
    startsAt: certificate.validFromDate.getTime(),
    names: certificate.subjectAltName ?? "no name",
    isForDomain: certificate.checkHost(domain) !== undefined,
    trouble: secure.authorized ? undefined : String(secure.authorizationError),
    // OIDs of the extended key usage; without the extension it is good for everything.
    purposes: certificate.keyUsage,
    protocol: secure.getProtocol() ?? "unknown",
  };
}

/** RFC 6120 §5.4.2, without reading more XML than it needs. */
async function startTls(tcp: Socket, domain: string, signal: AbortSignal): Promise<void> {
  const header = `<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' to='${domain}' version='1.0'>`;
  tcp.write(header);
  const features = await readUntil(
    tcp,
    /<\/stream:features>|<stream:features\s*\/>|<\/stream:stream>/,
    signal,
  );
  const [, condition] = /<stream:error>\s*<([\w-]+)/.exec(features) ?? [];
  if (condition !== undefined) throw new Error(`the server refuses the domain: ${condition}`);
  if (!features.includes("urn:ietf:params:xml:ns:xmpp-tls")) throw new Error("STARTTLS is not offered");
  tcp.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  const answer = await readUntil(tcp, /<proceed[^>]*>|<failure[^>]*>/, signal);
  if (answer.includes("<failure")) throw new Error("STARTTLS is offered and then refused");
}

/** Takes no more than has come by then: what follows belongs to TLS. */
async function readUntil(tcp: Socket, end: RegExp, signal: AbortSignal): Promise<string> {
  let heard = "";
  while (!end.test(heard)) {
    const chunk: unknown = tcp.read();
    if (Buffer.isBuffer(chunk)) heard += chunk.toString();
    else if (tcp.readableEnded || tcp.destroyed)
      throw new Error("the server closed the connection before TLS");
    else await happened(tcp, "readable", signal, "no answer before TLS");
    if (heard.length > 65_536) throw new Error("that is no XMPP server");
  }
  return heard;
}

async function happened(
  socket: Socket,
  event: "connect" | "secureConnect" | "readable",
  signal: AbortSignal,
  what: string,
): Promise<void> {
  try {
    await once(socket, event, { signal });
  } catch (error) {
    // An AbortError says of itself no more than that.
    throw new Error(signal.aborted ? `${what}: no answer in time` : what, { cause: error });
  }
}
