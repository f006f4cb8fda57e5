import { eastAsianWidth } from 'get-east-asian-width';

const PLAIN = /^[\x20-\x7e]*$/;
const COMBINES = /[\p{Mn}\p{Me}]/u;

/**
 * Returns the number of cells that a printable text occupies on a terminal: two for each wide character, none
 * for a combining character. Uses only Unicode's table. string-width also knows sequences of emoji, but takes
 * 30 ms to load, as long as a whole command takes; `printable` has already escaped the joiners of those
 * sequences.
 */
export function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const character of text) {
    if (!COMBINES.test(character)) width += eastAsianWidth(character.codePointAt(0) as number);
  }
  return width;
}

/** Pads the text with blanks up to `width` cells. */
export function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}
