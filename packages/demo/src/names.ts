/** Hostname of the local region, as the sender's server knows it. */
export const REGION_HOST = "eu.push.example";

/** The host SRV points to. */
export const FRONT_HOST = "s1.eu.push.example";

/** Domain of the sender: the user's own server. */
export const SENDER_DOMAIN = "xmpp.example";

/** Domain of a component of the sender, for a canary that publishes from there. */
export const CANARY_DOMAIN = "canary.xmpp.example";
