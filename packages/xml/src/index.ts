export { escapeAttribute } from "./escape.ts";
export { type XmlFault, XmlScanner, type XmlSink } from "./scanner.ts";
export { StartTag } from "./start-tag.ts";
