import { TLSSocket } from "node:tls";
import { type X509Certificate } from "node:crypto";
import { Duplex } from "node:stream";

/** A TLS socket without a line: a test says what comes, and what is written is kept. */
export class ATlsSocket extends TLSSocket {
  written = "";
  readonly #certificate: X509Certificate;

  /** Its peer has shown this certificate, and it is valid. */
  constructor(certificate: X509Certificate) {
    super(new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() }));
    this.#certificate = certificate;
    this.authorized = true;
  }

  override getPeerX509Certificate(): X509Certificate {
    return this.#certificate;
  }

  override write(text: unknown): boolean {
    this.written += String(text);
    return true;
  }

  says(text: string): void {
    if (!this.destroyed) this.emit("data", Buffer.from(text));
  }
}
