import { type StartTag } from "@reveille/xml";

/** The namespace that a prefix stands for here; empty if it is not bound. */
type NamespaceOf = (prefix: string) => string;

/**
 * Whether the names of a tag are well-formed by "Namespaces in XML 1.0", and all its attributes have been read. A parser
 * that minds would end the stream of the component, which all peers share, for one peer's tag.
 */
export function hasBoundNames(tag: StartTag, namespaceOf: NamespaceOf): boolean {
  if (tag.isCut) return false;
  if (tag.name.includes(":") && (tag.namespace === "" || !isPrefixed(tag.name))) return false;
  let prefixed: Set<string> | undefined;
  for (let index = 0; index < tag.attributes; index += 1) {
    const name = tag.nameAt(index);
    const colon = name.indexOf(":");
    if (colon === -1) continue;
    if (!isPrefixed(name)) return false;
    const prefix = name.slice(0, colon);
    if (prefix === "xmlns") {
      if (!mayBind(name, tag.value(name) ?? "")) return false;
      continue;
    }
    const namespace = namespaceOf(prefix);
    const expanded = `${namespace} ${name.slice(colon + 1)}`;
    if (namespace === "" || prefixed?.has(expanded) === true) return false;
    prefixed = (prefixed ?? new Set()).add(expanded);
  }
  return true;
}

/** One colon, with something before and behind it that a name may begin with. */
const isPrefixed = (name: string): boolean => /^[^:]+:[^:\d.-][^:]*$/.test(name);

/** A prefix cannot be unbound (§2.2), and `xml` and `xmlns` are what they are (§3). */
const mayBind = (name: string, namespace: string): boolean =>
  namespace !== "" && name !== "xmlns:xmlns" && name !== "xmlns:xml";
