import { eastAsianWidth } from 'get-east-asian-width';

const PLAIN = /^[\x20-\x7e]*$/;
const COMBINES = /[\p{Mn}\p{Me}]/u;

/**
 * Cells that a printable text takes on a terminal: two for each wide character, none for one that combines with the one before.
 * From Unicode's table alone. string-width also knows sequences of emoji, and takes 30 ms to load, in which a command of
 * dagmount is done; `printable` has escaped the joiners of those sequences anyway.
 */
export function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const character of text) {
    if (!COMBINES.test(character)) width += eastAsianWidth(character.codePointAt(0) as number);
  }
  return width;
}

/** The text with blanks after it, up to so many cells. */
export function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}
