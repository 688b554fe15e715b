import { anElement, heapUsed, letters, mutationsOf, splitAt } from "@reveille/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { XmlScanner } from "./scanner.ts";

interface Read {
  readonly complete: boolean;
  /** Names and attributes, where elements end, and all text. */
  readonly events: readonly string[];
}

function scan(chunks: readonly string[], longestTag: number): Read {
  const events: string[] = [];
  const add = (event: string): void => void events.push(event);
  const scanner = new XmlScanner(
    {
      wantsText: true,
      opened: (tag, offset) => {
        const names = Array.from({ length: tag.attributes }, (_, index) => tag.nameAt(index));
        add(`open ${tag.name} at ${offset} ${names.map((name) => `${name}=${tag.value(name)}`).join(" ")}`);
      },
      text: (piece) => {
        if (piece === "") return;
        if (events.at(-1)?.startsWith("text ") === true) events.push(`${events.pop()}${piece}`);
        else add(`text ${piece}`);
      },
      closed: (offset) => add(`close at ${offset}`),
    },
    longestTag,
  );
  for (const chunk of chunks) scanner.write(chunk);
  const { ended } = scanner;
  // Before a fault it depends on the chunks how much of a text is told.
  return {
    complete: ended,
    events: !ended && events.at(-1)?.startsWith("text ") ? events.slice(0, -1) : events,
  };
}

/** Element names, in the order of their beginnings and ends. */
const structure = ({ events }: Read): string[] =>
  events.map((event) => (event.startsWith("open ") ? "open" : event));

const padding = (length: number): string => "x".repeat(length);
const LONG: readonly (readonly [string, (length: number) => string])[] = [
  ["a name", (length) => `<a${padding(length)}>b</a${padding(length)}>`],
  ["an attribute", (length) => `<a v='${padding(length)}' w='1'>b</a>`],
  ["an attribute full of >", (length) => `<a v='${">".repeat(length)}'/>`],
  ["an attribute full of references", (length) => `<a v='${"&gt;".repeat(length / 4)}'/>`],
  ["the name of an attribute", (length) => `<a v${padding(length)}='1'/>`],
  ["a tag with many attributes", (length) => `<a ${manyAttributes(length)}>b</a>`],
  ["space in a start tag", (length) => `<a${" ".repeat(length)}v = ${"\n".repeat(length)}'1'/>`],
  ["space in an end tag", (length) => `<a>b</a${" ".repeat(length)}>`],
  ["text", (length) => `<a>${padding(length)}</a>`],
  ["text full of >", (length) => `<a>${">".repeat(length)}</a>`],
  ["text full of ]", (length) => `<a>${"]".repeat(length)}</a>`],
  ["text full of references", (length) => `<a>${"&amp;".repeat(length / 5)}</a>`],
  ["text full of line ends", (length) => `<a>${"\r".repeat(length)}</a>`],
  ["a CDATA section", (length) => `<a><![CDATA[${padding(length)}]]></a>`],
  ["a CDATA section full of ]", (length) => `<a><![CDATA[${"]".repeat(length)}]]></a>`],
  ["a CDATA section full of ]] >", (length) => `<a><![CDATA[${"]] >".repeat(length / 4)}]]></a>`],
];

function manyAttributes(length: number): string {
  return Array.from({ length: length / 10 }, (_, index) => `a${index}='12'`).join(" ");
}

const DECLARATION = "<?xml version='1.0'?>";
const document = anElement.map((inner) => `${DECLARATION}<r xmlns:p='urn:p'>${inner}</r>`);
const aLongPart = fc
  .tuple(fc.constantFrom(...LONG), fc.integer({ min: 1, max: 40 }))
  .map(([[, part], times]) => part(20 * times));
/** Some with mistakes, some with something long before, between and after them. */
const texts = fc
  .tuple(anElement, aLongPart, fc.oneof(anElement, mutationsOf(anElement)), aLongPart)
  .map((parts) => `${DECLARATION}<r xmlns:p='urn:p'>${parts.join("")}</r>`);

describe("what is too long for the XML scanner", () => {
  it("is read the same however the text is split into chunks", () => {
    fc.assert(
      fc.property(
        fc.oneof(texts, mutationsOf(texts, DECLARATION.length)),
        fc.array(fc.nat(), { maxLength: 12 }),
        fc.constantFrom(16, 64, 256),
        (text, cuts, longestTag) => {
          const whole = scan([text], longestTag);
          expect(scan(splitAt(text, cuts), longestTag)).toEqual(whole);
          expect(scan(letters(text), longestTag)).toEqual(whole);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("is skipped alone: all elements begin, all text comes, and all ends as without a bound", () => {
    fc.assert(
      fc.property(fc.oneof(document, texts), fc.constantFrom(16, 64, 256), (text, longestTag) => {
        const unbounded = scan([text], 1_000_000);
        const bounded = scan([text], longestTag);
        // Bad references and repeated attributes in what is skipped go unnoticed.
        if (!unbounded.complete) return;
        expect(bounded.complete).toBe(true);
        expect(structure(bounded)).toEqual(structure(unbounded));
      }),
      { numRuns: 500 },
    );
  });

  it("keeps the attributes that end within the longest tag, and checks the syntax of the others", () => {
    const tag = (rest: string): string => `<r><a v='1' w='${padding(60)}' ${rest}>b</a></r>`;
    expect(scan([tag("z='2'")], 32).events[1]).toBe("open a at 3 v=1");
    for (const mistake of ["z", "z=", "z=2", "z='<'", "z='\u0001'", "z='2'z='3'", "/ ", "'", "1='2'"]) {
      expect([mistake, scan([tag(mistake)], 32).complete]).toEqual([mistake, false]);
      expect([mistake, scan(letters(tag(mistake)), 32).complete]).toEqual([mistake, false]);
    }
  });

  it("does not let an element end by the name of another one, even if its own name was too long to keep", () => {
    const long = padding(100);
    expect(scan([`<r><${long}></${long}></r>`], 64).complete).toBe(true);
    expect(scan([`<r><${long}></r></r>`], 64).complete).toBe(false);
    expect(scan([`<r></${long}>`], 64).complete).toBe(false);
    expect(scan(letters(`<r></${long}>`), 64).complete).toBe(false);
  });

  it.each(LONG)("takes time in proportion to its length: %s in pieces of one character", (_what, part) => {
    const time = (length: number): number => {
      const pieces = letters(`<r>${part(length)}</r>`);
      return Math.min(
        ...Array.from({ length: 3 }, () => {
          const { user, system } = process.cpuUsage();
          expect(scanQuietly(pieces)).toBe(true);
          const used = process.cpuUsage({ user, system });
          return used.user + used.system;
        }),
      );
    };
    time(10_000);
    const ratio = time(160_000) / time(40_000);
    // Linear: 4; quadratic: 16.
    expect(ratio).toBeLessThan(9);
  });

  it.each(LONG)("takes no more memory than the longest tag: %s", (_what, part) => {
    const text = Buffer.from(part(4_000_000)).toString("latin1");
    const scanner = new XmlScanner(
      { wantsText: false, opened: ignore, text: ignore, closed: ignore },
      65_536,
    );
    scanner.write("<r>");
    const before = heapUsed();
    let most = 0;
    for (let at = 0; at < text.length; at += 65_536) {
      expect(scanner.write(Buffer.from(text.slice(at, at + 65_536)).toString())).toBe(undefined);
      if (at % (12 * 65_536) === 0) most = Math.max(most, heapUsed() - before);
    }
    expect(scanner.depth).toBe(1);
    expect(most).toBeLessThan(1_500_000);
  });
});

const ignore = (): void => undefined;

/** Whether the document is complete. */
function scanQuietly(chunks: readonly string[]): boolean {
  const scanner = new XmlScanner({ wantsText: true, opened: ignore, text: ignore, closed: ignore }, 65_536);
  for (const chunk of chunks) scanner.write(chunk);
  return scanner.ended;
}
