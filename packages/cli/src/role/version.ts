import manifest from "../../package.json" with { type: "json" };

/** Version of Reveille, as it stands in logs, metrics and answers to `jabber:iq:version`. */
export const VERSION = manifest.version;
