/** Namespaces of the protocols a front speaks, by the document that defines them. */

/** RFC 6120 §11.2.1. */
export const STREAMS = "http://etherx.jabber.org/streams";
/** RFC 6120 §4.9.2. */
export const STREAM_ERRORS = "urn:ietf:params:xml:ns:xmpp-streams";
/** RFC 6120 §8.3.2. */
export const STANZA_ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas";
/** RFC 6120 §5.4. */
export const STARTTLS = "urn:ietf:params:xml:ns:xmpp-tls";
/** RFC 6120 §6.4. */
export const SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
/** RFC 6120 §4.8.2, between servers. */
export const SERVER = "jabber:server";
/** XEP-0114. */
export const COMPONENT = "jabber:component:accept";
/** XEP-0220. */
export const DIALBACK = "jabber:server:dialback";
/** XEP-0220 §2.2.1. */
export const DIALBACK_FEATURE = "urn:xmpp:features:dialback";
/** XEP-0288: the element of the initiating server. */
export const BIDI = "urn:xmpp:bidi";
/** XEP-0288: the feature of the receiving server. */
export const BIDI_FEATURE = "urn:xmpp:features:bidi";
/** XEP-0198. */
export const STREAM_MANAGEMENT = "urn:xmpp:sm:3";
/** XEP-0199. */
export const PING = "urn:xmpp:ping";
