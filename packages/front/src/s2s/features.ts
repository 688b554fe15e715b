import {
  BIDI,
  BIDI_FEATURE,
  DIALBACK_FEATURE,
  SASL,
  STARTTLS,
  STREAM_MANAGEMENT,
} from "../stream/namespaces.ts";

const features = (content: string): string => `<stream:features>${content}</stream:features>`;

const DIALBACK_OFFER = `<dialback xmlns='${DIALBACK_FEATURE}'><errors/></dialback>`;

/** In clear there is one thing to do (RFC 6120 §5.3.1). */
export const CLEAR_FEATURES = features(`<starttls xmlns='${STARTTLS}'><required/></starttls>`);

/**
 * Over TLS: EXTERNAL only for a peer whose certificate proves its name (XEP-0178 §3). XEP-0288 twice: ejabberd before the
 * middle of 2026 looks for the feature in the namespace of the element (processone/ejabberd#4581).
 */
export function secureFeatures(isProven: boolean): string {
  const external = `<mechanisms xmlns='${SASL}'><mechanism>EXTERNAL</mechanism></mechanisms>`;
  return features(
    `${isProven ? external : ""}${DIALBACK_OFFER}<bidi xmlns='${BIDI_FEATURE}'/><bidi xmlns='${BIDI}'/>`,
  );
}

/** After SASL; further domains of the peer may follow by dialback. */
export const OPEN_FEATURES = features(`<sm xmlns='${STREAM_MANAGEMENT}'/>${DIALBACK_OFFER}`);
