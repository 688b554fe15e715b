import { type StartTag } from "./start-tag.ts";

const XML = "http://www.w3.org/XML/1998/namespace";

interface Binding {
  readonly depth: number;
  /** Empty for the default namespace. */
  readonly prefix: string;
  readonly namespace: string;
}

/**
 * Deeper declarations are not kept and deeper elements have no namespace: nothing we read lies there, and
 * a look-up stays cheap whatever is sent.
 */
const MAX_DEPTH = 32;

/** With more declarations in force an element has no namespace either, for the same reason. */
const MAX_BINDINGS = 256;

/** The namespace declarations in force, innermost last. */
export class Namespaces {
  readonly #bindings: Binding[] = [];

  /** Takes in the declarations of a tag at `depth` and names the tag's namespace. */
  enter(tag: StartTag, depth: number): void {
    tag.local = "";
    tag.namespace = "";
    if (depth > MAX_DEPTH || this.#bindings.length > MAX_BINDINGS) return;
    for (let index = 0; index < tag.attributes; index += 1) {
      const name = tag.nameAt(index);
      if (!name.startsWith("xmlns")) continue;
      if (name.length === 5) this.#bind(depth, "", tag.value(name));
      else if (name.charCodeAt(5) === 0x3a) this.#bind(depth, name.slice(6), tag.value(name));
    }
    if (this.#bindings.length > MAX_BINDINGS) return;
    const colon = tag.name.indexOf(":");
    tag.local = colon === -1 ? tag.name : tag.name.slice(colon + 1);
    tag.namespace = this.#of(colon === -1 ? "" : tag.name.slice(0, colon));
  }

  /** What a prefix stands for now; empty if it is not bound, or more is declared than is kept. */
  of(prefix: string): string {
    return this.#bindings.length > MAX_BINDINGS ? "" : this.#of(prefix);
  }

  /** Drops the declarations of the tag at `depth`, which has ended. */
  leave(depth: number): void {
    while (this.#bindings.at(-1)?.depth === depth) this.#bindings.pop();
  }

  #bind(depth: number, prefix: string, namespace = ""): void {
    this.#bindings.push({ depth, prefix, namespace });
  }

  #of(prefix: string): string {
    for (let index = this.#bindings.length - 1; index >= 0; index -= 1) {
      const binding = this.#bindings[index];
      if (binding?.prefix === prefix) return binding.namespace;
    }
    return prefix === "xml" ? XML : "";
  }
}
