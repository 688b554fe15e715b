import { type Socket } from "node:net";
import { type TLSSocket } from "node:tls";

import { type Clock, detached, type Millis } from "@reveille/wakeup";
import { escapeAttribute } from "@reveille/xml";

import { STANZAS, type StreamElement, type StreamHeader } from "../stream/element-reader.ts";
import { BIDI, DIALBACK, SASL, SERVER, STARTTLS, STREAM_MANAGEMENT, STREAMS } from "../stream/namespaces.ts";
import { XmppConnection } from "../stream/xmpp-connection.ts";
import { type DialbackKeys } from "./dialback-key.ts";
import { domainPartOf, parseDomain } from "./domain-name.ts";
import { CLEAR_FEATURES, OPEN_FEATURES, secureFeatures } from "./features.ts";
import { type PeerCertificate, peerCertificateOf } from "./peer-certificate.ts";
import { newStreamId, s2sHeader } from "./stream-header.ts";
import { Acknowledgements } from "./stream-management.ts";

/** How a peer has proven a domain. */
export type ProofMethod = "external" | "dialback";

/** What an inbound stream needs of the front. */
export interface InboundPorts {
  readonly clock: Clock;
  readonly keys: DialbackKeys;
  readonly limits: InboundLimits;
  /** Whether a domain is one of this front's hostnames. */
  readonly serves: (domain: string) => boolean;
  /** Does the TLS handshake on a socket whose peer has been told to proceed. */
  readonly startTls: (socket: Socket) => Promise<TLSSocket>;
  /** Asks the authoritative server of `originating` about a key (XEP-0220 §2.3), unless this address asks for too much. */
  readonly verify: (claim: DialbackClaim, address: string) => Promise<DialbackAnswer | "refused">;
  /** Takes a stanza of an authenticated peer. */
  readonly onStanza: (stanza: PeerStanza, stream: InboundStream) => void;
  readonly onProven: (domain: string, method: ProofMethod, stream: InboundStream) => void;
  readonly onEnded: (because: string, stream: InboundStream) => void;
}

export interface InboundLimits {
  /** From the connection to the end of TLS. */
  readonly tlsWithin: Millis;
  /** From the connection to the first proven domain. */
  readonly provenWithin: Millis;
  /** Longest element before that, and after, in characters. */
  readonly longestUnproven: number;
  readonly stanzaLength: number;
  /** Domains that one stream may prove. */
  readonly domains: number;
  /** Most bytes that wait for a peer that does not read. */
  readonly unsentLength: number;
}

export interface DialbackClaim {
  readonly receiving: string;
  readonly originating: string;
  readonly streamId: string;
  readonly key: string;
}

/** `unreachable`: the authoritative server could not be asked, or its certificate does not prove its name. */
export type DialbackAnswer = "valid" | "invalid" | "unreachable";

/** A stanza whose addresses have been checked. */
export interface PeerStanza {
  readonly element: StreamElement;
  /** The proven domain it comes from, and the hostname it goes to. */
  readonly from: string;
  readonly to: string;
  /** Declarations of the peer's header that the stanza relies on. */
  readonly prefixes: ReadonlyMap<string, string>;
}

type State = "plain" | "handshake" | "secure" | "proven" | "over";

const NO_PREFIXES: ReadonlyMap<string, string> = new Map();
const MAX_SASL_ATTEMPTS = 3;
/** Claims of domains that came to nothing. */
const MAX_CLAIMS = 10;
const MAX_PREFIXES = 1_024;

/** One stream that a peer has opened to us. States are drawn in docs/architecture.md. */
export class InboundStream {
  readonly address: string;
  readonly connection: XmppConnection;
  readonly #ports: InboundPorts;
  readonly #proven = new Set<string>();
  readonly #acknowledgements = new Acknowledgements();
  #state: State;
  /** A new one for each header (RFC 6120 §4.3.3). */
  #id = newStreamId();
  #header: StreamHeader | undefined;
  #hostname = "";
  #certificate: PeerCertificate | undefined;
  #isBidi = false;
  #attempts = 0;
  #unproven = 0;

  /** `socket`: a plain one for STARTTLS, or one whose handshake is done (XEP-0368). */
  constructor(socket: Socket | TLSSocket, ports: InboundPorts) {
    this.#ports = ports;
    this.address = socket.remoteAddress ?? "";
    this.#state = "encrypted" in socket ? "secure" : "plain";
    if ("encrypted" in socket) this.#certificate = peerCertificateOf(socket);
    this.connection = new XmppConnection(socket, {
      clock: ports.clock,
      longest: ports.limits.longestUnproven,
      mostUnsent: ports.limits.unsentLength,
      header: () => s2sHeader({ id: this.#id }),
      listener: {
        header: (header) => this.#open(header),
        element: (element) => this.#take(element),
        ended: (because) => this.#end(because),
      },
    });
    void this.#limit(ports.limits.tlsWithin, () => this.#state === "plain" || this.#state === "handshake");
    void this.#limit(ports.limits.provenWithin, () => this.#state !== "proven");
  }

  /** Whether replies may go back on this stream (XEP-0288). */
  get isBidi(): boolean {
    return this.#isBidi && this.#state === "proven" && this.connection.isOpen;
  }

  /** The hostname that the peer has opened the stream to. */
  get hostname(): string {
    return this.#hostname;
  }

  get domains(): ReadonlySet<string> {
    return this.#proven;
  }

  /** Closes the stream in form; what the peer has sent before it reads that is still taken. */
  close(): void {
    if (this.#state === "handshake") return this.connection.destroy("closed");
    if (this.#acknowledgements.isEnabled) this.connection.send(this.#acknowledgements.answer());
    this.connection.close();
  }

  async #limit(within: Millis, isLate: () => boolean): Promise<void> {
    await this.#ports.clock.sleep(within, this.connection.signal);
    if (!isLate() || this.connection.signal.aborted) return;
    // In a handshake there is no stream that an error could be sent on.
    if (this.#state === "handshake") this.connection.destroy("handshake-timeout");
    else this.connection.fail("connection-timeout");
  }

  #open(header: StreamHeader): void {
    if (this.#header !== undefined) this.#id = newStreamId();
    this.#hostname = parseDomain(header.to ?? "") ?? "";
    const from = parseDomain(header.from ?? "");
    const names = { ...(from === undefined ? {} : { to: from }), from: this.#hostname, id: this.#id };
    this.connection.send(s2sHeader(names));
    this.#header = header;
    if (header.namespace !== STREAMS || header.content !== SERVER)
      return this.connection.fail("invalid-namespace");
    if (!this.#ports.serves(this.#hostname)) return this.connection.fail("host-unknown");
    if (lengthOf(header.prefixes) > MAX_PREFIXES) return this.connection.fail("policy-violation");
    if (header.version === undefined) return this.connection.fail("unsupported-version");
    if (header.from !== undefined && from === undefined) return this.connection.fail("invalid-from");
    this.connection.send(this.#features(from));
  }

  #features(from: string | undefined): string {
    switch (this.#state) {
      case "plain":
      case "handshake":
        return CLEAR_FEATURES;
      case "secure":
        return secureFeatures(from !== undefined && this.#certificate?.proves(from) === true);
      case "proven":
      case "over":
        return OPEN_FEATURES;
    }
  }

  #take(element: StreamElement): void {
    if (element.namespace === SERVER) return this.#stanza(element);
    if (element.namespace === STREAMS) return this.connection.close("stream error of the peer");
    if (this.#state === "plain") {
      if (element.namespace === STARTTLS && element.local === "starttls") void this.#secure();
      else this.connection.fail("policy-violation");
      return;
    }
    switch (`${element.local} ${element.namespace}`) {
      case `auth ${SASL}`:
        return this.#authenticate(element);
      case `result ${DIALBACK}`:
        return void this.#provedByDialback(element);
      case `verify ${DIALBACK}`:
        return this.#verifyOwnKey(element);
      case `bidi ${BIDI}`:
        this.#isBidi = true;
        return;
      default:
        return this.#managed(element);
    }
  }

  #managed(element: StreamElement): void {
    if (element.namespace !== STREAM_MANAGEMENT || this.#state !== "proven")
      return this.connection.fail(this.#state === "proven" ? "unsupported-stanza-type" : "not-authorized");
    const answer = this.#acknowledgements.take(element);
    if (answer !== undefined) this.connection.send(answer);
  }

  async #secure(): Promise<void> {
    this.#state = "handshake";
    this.connection.send(`<proceed xmlns='${STARTTLS}'/>`);
    try {
      const socket = await this.#ports.startTls(this.connection.detach());
      this.#certificate = peerCertificateOf(socket);
      this.#state = "secure";
      this.connection.secure(socket);
    } catch {
      this.connection.destroy("handshake-failed");
    }
  }

  /** SASL EXTERNAL (XEP-0178 §3): the domain is in the response, or else in the header. */
  #authenticate(element: StreamElement): void {
    const given = element.text.trim();
    const named =
      given === "" || given === "=" ? (this.#header?.from ?? "") : Buffer.from(given, "base64").toString();
    const domain = parseDomain(named);
    const mechanism = element.attributes.get("mechanism");
    if (this.#state === "secure" && mechanism === "EXTERNAL" && domain !== undefined) {
      if (this.#certificate?.proves(domain) === true) {
        this.connection.send(`<success xmlns='${SASL}'/>`);
        this.connection.restart();
        return this.#prove(domain, "external");
      }
    }
    this.#attempts += 1;
    if (this.#attempts >= MAX_SASL_ATTEMPTS) return this.connection.fail("policy-violation");
    const condition = mechanism === "EXTERNAL" ? "not-authorized" : "invalid-mechanism";
    this.connection.send(`<failure xmlns='${SASL}'><${condition}/></failure>`);
  }

  #prove(name: string, method: ProofMethod): void {
    // What outlives a stanza must not point into its text.
    const domain = detached(name);
    this.#proven.add(domain);
    this.#state = "proven";
    this.connection.allow(this.#ports.limits.stanzaLength);
    this.#ports.onProven(domain, method, this);
  }

  /** `<db:result>key</db:result>`: the peer claims a domain (XEP-0220 §2.1.1). */
  async #provedByDialback(element: StreamElement): Promise<void> {
    const { limits, verify, serves } = this.#ports;
    const originating = parseDomain(element.attributes.get("from") ?? "");
    const receiving = parseDomain(element.attributes.get("to") ?? "") ?? "";
    if (originating === undefined) return this.connection.fail("improper-addressing");
    if (!serves(receiving)) return this.#result(receiving, originating, "item-not-found");
    if (this.#proven.size >= limits.domains)
      return this.#result(receiving, originating, "resource-constraint");
    // A certificate that proves the name makes the look-up needless (XEP-0344 §2).
    const isProven = this.#certificate?.proves(originating) === true;
    const claim = { receiving, originating, streamId: this.#id, key: element.text };
    const answer = isProven ? "valid" : await verify(claim, this.address);
    if (this.#state === "over") return;
    if (answer === "refused") return this.#result(receiving, originating, "resource-constraint");
    if (answer !== "valid") this.#unproven += 1;
    if (this.#unproven > MAX_CLAIMS) return this.connection.fail("policy-violation");
    if (answer === "valid") this.#prove(originating, isProven ? "external" : "dialback");
    this.#result(receiving, originating, answer === "unreachable" ? "remote-server-not-found" : answer);
  }

  #result(receiving: string, originating: string, what: string): void {
    const names = `from='${escapeAttribute(receiving)}' to='${escapeAttribute(originating)}'`;
    const isAnswer = what === "valid" || what === "invalid";
    const error = `<error type='cancel'><${what} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`;
    this.connection.send(
      isAnswer
        ? `<db:result ${names} type='${what}'/>`
        : `<db:result ${names} type='error'>${error}</db:result>`,
    );
  }

  /** `<db:verify>`: whether a key is one that a front of this region made (XEP-0220 §2.3). */
  #verifyOwnKey(element: StreamElement): void {
    const receiving = parseDomain(element.attributes.get("from") ?? "") ?? "";
    const originating = parseDomain(element.attributes.get("to") ?? "") ?? "";
    const streamId = element.attributes.get("id") ?? "";
    const owner = { receiving, originating, streamId };
    const isValid = this.#ports.serves(originating) && this.#ports.keys.isKeyFor(owner, element.text);
    const names = `from='${escapeAttribute(originating)}' to='${escapeAttribute(receiving)}'`;
    const type = isValid ? "valid" : "invalid";
    this.connection.send(`<db:verify ${names} id='${escapeAttribute(streamId)}' type='${type}'/>`);
  }

  #stanza(element: StreamElement): void {
    if (this.#state !== "proven") return this.connection.fail("not-authorized");
    // Whatever else is passed on could end the component stream, which all peers share.
    if (!STANZAS.has(element.local)) return this.connection.fail("unsupported-stanza-type");
    const from = parseDomain(domainPartOf(element.attributes.get("from") ?? ""));
    const to = parseDomain(domainPartOf(element.attributes.get("to") ?? ""));
    if (to === undefined) return this.connection.fail("improper-addressing");
    if (from === undefined || !this.#proven.has(from)) return this.connection.fail("invalid-from");
    if (!this.#ports.serves(to)) return this.connection.fail("host-unknown");
    this.#acknowledgements.count();
    this.#ports.onStanza({ element, from, to, prefixes: this.#header?.prefixes ?? NO_PREFIXES }, this);
  }

  #end(because: string): void {
    this.#state = "over";
    this.#ports.onEnded(because, this);
  }
}

/** Each stanza is passed on with them. */
const lengthOf = (prefixes: ReadonlyMap<string, string>): number =>
  [...prefixes].reduce((sum, [name, value]) => sum + name.length + value.length, 0);
