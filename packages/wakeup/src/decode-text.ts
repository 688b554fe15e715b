/**
 * The text of a file that people or programs of Windows have saved: UTF-8 or UTF-16, with or without a byte order mark.
 * UTF-16 without one is known by its zero bytes, which no text in UTF-8 of ours has.
 */
export function decodeText(bytes: Uint8Array): string {
  const encoding = encodingOf(bytes);
  // The decoder drops the mark.
  return new TextDecoder(encoding).decode(bytes);
}

function encodingOf([first, second]: Uint8Array): "utf-8" | "utf-16le" | "utf-16be" {
  if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0)) return "utf-16le";
  if ((first === 0xfe && second === 0xff) || (first === 0 && second !== 0 && second !== undefined))
    return "utf-16be";
  return "utf-8";
}
