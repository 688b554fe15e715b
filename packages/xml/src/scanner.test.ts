import fc from "fast-check";
import { SaxesParser } from "saxes";
import { describe, expect, it } from "vitest";

import { anElement, letters, mutationsOf, splitAt } from "@reveille/testkit";
import { type StartTag } from "./start-tag.ts";
import { XmlScanner, type XmlFault } from "./scanner.ts";

interface Read {
  readonly complete: boolean;
  readonly fault?: XmlFault | undefined;
  /** Without what came after the first mistake. */
  readonly events: readonly string[];
}

/** Joins neighbouring pieces of text. */
function told(events: string[], piece: string): void {
  if (piece === "") return;
  const last = events.at(-1);
  if (last?.startsWith("text ")) events[events.length - 1] = last + piece;
  else events.push(`text ${piece}`);
}

function scan(chunks: readonly string[], longestTag = 65_536): Read {
  const events: string[] = [];
  const attributes = (tag: StartTag): string =>
    Array.from({ length: tag.attributes }, (_, index) => tag.nameAt(index))
      .map((name) => `${name}=${JSON.stringify(tag.value(name))}`)
      .join(" ");
  const scanner = new XmlScanner(
    {
      wantsText: true,
      opened: (tag) => void events.push(`open ${tag.name} ${attributes(tag)} in ${tag.namespace}`),
      text: (piece) => told(events, piece),
      closed: () => void events.push("close"),
    },
    longestTag,
  );
  let fault: XmlFault | undefined;
  for (const chunk of chunks) fault ??= scanner.write(chunk);
  return { complete: scanner.ended, fault, events };
}

/** What an independent strict parser reads in a well-formed document. */
function readBySaxes(text: string): Read {
  const events: string[] = [];
  const parser = new SaxesParser<{ xmlns: true }>({ xmlns: true });
  parser.on("opentag", (tag) => {
    const attributes = Object.values(tag.attributes).map(
      (each) => `${each.name}=${JSON.stringify(each.value)}`,
    );
    events.push(`open ${tag.name} ${attributes.join(" ")} in ${tag.uri}`);
  });
  parser.on("text", (piece) => told(events, piece));
  parser.on("cdata", (piece) => told(events, piece));
  parser.on("closetag", () => void events.push("close"));
  parser.write(text).close();
  return { complete: true, fault: undefined, events };
}

/** Whether that parser sees a whole root element, without the constructs that XMPP forbids. */
function isWholeForSaxes(text: string): boolean {
  let depth = 0;
  let isWhole = false;
  let failed = false;
  const parser = new SaxesParser();
  const fail = (): void => {
    failed = true;
  };
  parser.on("error", fail);
  parser.on("comment", fail);
  parser.on("processinginstruction", fail);
  parser.on("doctype", fail);
  parser.on("opentag", () => void (depth += 1));
  parser.on("closetag", () => {
    depth -= 1;
    isWhole = depth === 0;
  });
  for (const character of text) {
    parser.write(character);
    if (failed || isWhole) break;
  }
  return isWhole && !failed;
}

const DECLARATION = "<?xml version='1.0'?>";
const document = anElement.map((inner) => `${DECLARATION}<r xmlns:p='urn:p'>${inner}</r>`);
const mutated = mutationsOf(document, DECLARATION.length);

/** When a mistake is noticed, and how much of the text before it is told, depends on the chunks. */
const withoutUnfinished = ({ complete, events }: Read): Read => ({
  complete,
  events: !complete && events.at(-1)?.startsWith("text ") ? events.slice(0, -1) : events,
});

describe("the XML scanner", () => {
  it.each([
    ["an attribute given twice", "<r><a b='1' b='2'/></r>"],
    ["an attribute without a value", "<r><a b/></r>"],
    ["an attribute without quotes", "<r><a b=1/></r>"],
    ["attributes without a gap", "<r><a b='1'c='2'/></r>"],
    ["a tag in an attribute", "<r><a b='<'/></r>"],
    ["an unknown entity", "<r>&nbsp;</r>"],
    ["an unknown entity in an attribute", "<r><a b='&nbsp;'/></r>"],
    ["a bare ampersand", "<r>a & b</r>"],
    ["a reference to half a character", "<r>&#xD800;</r>"],
    ["a reference to no character", "<r>&#0;</r>"],
    ["a reference beyond all characters", "<r>&#x110000;</r>"],
    ["the end of a CDATA section in text", "<r>a]]>b</r>"],
    ["a control character", "<r>\u0001</r>"],
    ["a control character in CDATA", "<r><![CDATA[\u0001]]></r>"],
    ["the wrong end tag", "<r><a></b></r>"],
    ["a longer end tag", "<r><a></ab></r>"],
    ["an end tag with an attribute", "<r><a></a b='1'></r>"],
    ["text before the root", "text<r/>"],
    ["a name that begins with a digit", "<r><1a/></r>"],
    ["a gap before the name", "<r>< a/></r>"],
  ])("refuses %s", (_what, text) => {
    expect(scan([text])).toMatchObject({ complete: false, fault: "not-well-formed" });
    expect(scan(letters(text))).toMatchObject({ complete: false, fault: "not-well-formed" });
    expect(isWholeForSaxes(text)).toBe(false);
  });

  it.each([
    ["a comment", "<r><!-- a --></r>"],
    ["a document type", "<!DOCTYPE r><r/>"],
    ["an entity declaration", "<!DOCTYPE r [<!ENTITY a 'b'>]><r>&a;</r>"],
    ["a processing instruction", "<r><?a b?></r>"],
    ["a second XML declaration", "<?xml version='1.0'?><?xml version='1.0'?><r/>"],
    ["another encoding", "<?xml version='1.0' encoding='utf-16'?><r/>"],
  ])("refuses %s, which XMPP forbids", (_what, text) => {
    expect(scan([text])).toMatchObject({ complete: false, fault: "restricted-xml" });
  });

  it("knows namespaces down to a depth of 32, so that a look-up stays cheap", () => {
    const { events } = scan([`<r>${"<p:a xmlns:p='urn:p'>".repeat(40)}${"</p:a>".repeat(40)}</r>`]);
    expect(events.filter((event) => event.endsWith("in urn:p"))).toHaveLength(31);
  });

  it("reads a long tag that comes in small pieces in linear time", () => {
    const { complete } = scan(letters(`<r><a b='${"x".repeat(300_000)}'/></r>`));
    expect(complete).toBe(true);
  });

  it("keeps 64 attributes of a tag and checks the others", () => {
    const attributes = Array.from({ length: 100 }, (_, index) => `a${index}='${index}'`).join(" ");
    const { complete, events } = scan([`<r><b ${attributes}/></r>`]);
    expect(complete).toBe(true);
    expect(events[1]).toContain('a63="63"');
    expect(events[1]).not.toContain("a64");
    expect(scan([`<r><b ${attributes} z='<'/></r>`]).fault).toBe("not-well-formed");
  });

  it("knows no namespaces while more than 256 declarations are in force", () => {
    const declarations = Array.from({ length: 60 }, (_, index) => `xmlns:p${index}='urn:${index}'`).join(" ");
    const { events, complete } = scan([
      `<r>${`<a ${declarations}>`.repeat(5)}<p1:b/>${"</a>".repeat(4)}<p1:c/></a></r>`,
    ]);
    expect(complete).toBe(true);
    expect(events).toContain("open p1:b  in ");
    expect(events).toContain("open p1:c  in urn:1");
  });

  it("reads well-formed XML as saxes does", () => {
    fc.assert(
      fc.property(document, (text) => {
        expect(scan([text])).toEqual(readBySaxes(text));
      }),
      { numRuns: 500 },
    );
  });

  it("accepts the well-formed XML that saxes accepts, and nothing else", () => {
    fc.assert(
      fc.property(mutated, (text) => {
        expect([text, scan([text]).complete]).toEqual([text, isWholeForSaxes(text)]);
      }),
      { numRuns: 2000 },
    );
  });

  it("reads the same however the text is split into chunks", () => {
    fc.assert(
      fc.property(fc.oneof(document, mutated), fc.array(fc.nat(), { maxLength: 8 }), (text, cuts) => {
        const whole = withoutUnfinished(scan([text]));
        expect(withoutUnfinished(scan(splitAt(text, cuts)))).toEqual(whole);
        expect(withoutUnfinished(scan(letters(text)))).toEqual(whole);
      }),
      { numRuns: 500 },
    );
  });
});
