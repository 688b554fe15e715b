import { type Page } from "playwright-core";

interface TextOnPage {
  readonly text: string;
  readonly color: string;
  readonly behind: string;
  /** What of it lies outside the window or its card, in pixels. */
  readonly outside: number;
  /** Of its lines, in the page. */
  readonly lines: readonly Box[];
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Runs in the page: every text that somebody can see, with its colour, what is behind it, and where it stands. */
const TEXTS = `(() => {
  const cardOf = (element) => (element.closest("header,figure,section,.station,.arrow,.why,.gone,footer") ?? document.body).getBoundingClientRect();
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      if (backgroundColor !== "rgba(0, 0, 0, 0)") return backgroundColor;
    }
    return "rgb(255, 255, 255)";
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode() !== null) {
    const node = walker.currentNode, element = node.parentElement;
    if (node.data.trim() === "" || element.closest("script,style") !== null) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const lines = [...range.getClientRects()].map(({ left, right, top, bottom }) => ({ left, right, top, bottom }));
    if (lines.length === 0) continue;
    const card = cardOf(element);
    const outside = Math.max(...lines.map(({ left, right, top, bottom }) =>
      Math.max(card.left - left, right - card.right, card.top - top, bottom - card.bottom, right - innerWidth, -left)));
    found.push({ text: node.data.trim(), color: getComputedStyle(element).color, behind: behind(element), outside, lines });
  }
  return found;
})()`;

const textsOf = (page: Page): Promise<readonly TextOnPage[]> => page.evaluate<readonly TextOnPage[]>(TEXTS);

/** Every text on the page with its contrast (WCAG 2.2, 1.4.3). */
export async function contrastsOf(
  page: Page,
): Promise<readonly { readonly text: string; readonly contrast: number }[]> {
  return (await textsOf(page)).map(({ text, color, behind }) => ({
    text,
    contrast: contrast(color, behind),
  }));
}

/** Texts that stick out of their card or of the window. */
export async function textsOutside(page: Page): Promise<readonly string[]> {
  return (await textsOf(page)).filter(({ outside }) => outside > 1).map(({ text }) => `outside: ${text}`);
}

/** Texts that lie on each other. */
export async function overlapsOf(page: Page): Promise<readonly string[]> {
  const texts = await textsOf(page);
  return texts.flatMap((one, index) =>
    texts
      .slice(index + 1)
      .filter((other) => one.lines.some((line) => other.lines.some((next) => overlap(line, next))))
      .map((other) => `on each other: ${one.text} | ${other.text}`),
  );
}

/** By more than the blank part of a line of text. */
const overlap = (one: Box, other: Box): boolean =>
  Math.min(one.right, other.right) - Math.max(one.left, other.left) > 1 &&
  Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 4;

/** Of two colours `rgb(…)`. */
function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = (colour.match(/\d+/g) ?? []).map((digits) => {
    const share = Number(digits) / 255;
    return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
