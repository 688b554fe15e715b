import { isIP } from "node:net";

import { isInsideAddress } from "@reveille/runtime";
import { isPushModule, isRegion } from "@reveille/wakeup";

/** One thing to be known. */
export interface Question {
  readonly text: string;
  readonly accepts: (answer: string) => boolean;
  /** Ends the sentence "must be …". */
  readonly wanted: string;
  /** Taken for an empty answer. */
  readonly otherwise?: string;
}

const isName = (text: string): boolean => /^(?=.{1,253}$)[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(text);
const isAppleId = (text: string): boolean => /^[A-Z0-9]{10}$/.test(text);

export const REGION: Question = {
  text: "Name of the region",
  accepts: isRegion,
  wanted: "1 to 32 lower-case letters, digits and dashes, such as eu",
  otherwise: "eu",
};

export const HOSTNAME: Question = {
  text: "Hostname of the region, to which users' servers publish",
  accepts: isName,
  wanted: "a host name in lower case, such as eu.push.example",
};

export const FRONT: Question = {
  text: "Front: reveille (our own), prosody or ejabberd",
  accepts: (text) => ["reveille", "prosody", "ejabberd"].includes(text),
  wanted: "reveille, prosody or ejabberd",
  otherwise: "prosody",
};

export const HOSTS: Question = {
  text: "Hosts: 1, or 2 that stand in for each other",
  accepts: (text) => text === "1" || text === "2",
  wanted: "1 or 2",
  otherwise: "2",
};

export const hostName = (number: number, hostname: string): Question => ({
  text: `Host ${number}: name`,
  accepts: isName,
  wanted: "a host name in lower case",
  otherwise: `s${number}.${hostname}`,
});

export const hostAddresses = (number: number): Question => ({
  text: `Host ${number}: addresses on the internet, by spaces`,
  accepts: (text) => text.split(/\s+/).every((one) => isIP(one) !== 0),
  wanted: "an IPv4 address, an IPv6 address, or both",
});

export const insideAddress = (who: string, number: number): Question => ({
  text: `${who}: address for the region's own machines`,
  accepts: isInsideAddress,
  wanted: "an IPv4 address of a private network or a tunnel",
  otherwise: `10.0.0.${number}`,
});

export const witnessName = (hostname: string): Question => ({
  text: "Witness (a small third machine, so that two of three agree): name",
  accepts: isName,
  wanted: "a host name in lower case",
  otherwise: `w.${hostname}`,
});

export const MODULE: Question = {
  text: "Push module, as the app names it",
  accepts: isPushModule,
  wanted: "1 to 64 of A-Z a-z 0-9 _ -, such as monalProdiOS",
};

export const TOPIC: Question = {
  text: "Bundle id of the app (topic)",
  accepts: (text) => /^[A-Za-z0-9.-]{1,255}$/.test(text),
  wanted: "a bundle id, such as G7YU7X7KRJ.SworIM",
};

export const ENVIRONMENT: Question = {
  text: "Environment: production or sandbox",
  accepts: (text) => text === "production" || text === "sandbox",
  wanted: "production or sandbox",
  otherwise: "production",
};

export const KEY_ID: Question = {
  text: "Key id of the team's signing key (.p8)",
  accepts: isAppleId,
  wanted: "ten capital letters and digits",
};

export const TEAM_ID: Question = {
  text: "Team id",
  accepts: isAppleId,
  wanted: "ten capital letters and digits",
};

export const ANOTHER: Question = {
  text: "Another module? yes or no",
  accepts: (text) => text === "yes" || text === "no",
  wanted: "yes or no",
  otherwise: "no",
};
