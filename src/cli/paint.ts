import { styleText } from 'node:util';
import { printableLines } from '../base/printable.ts';
import type { Output } from './shell.ts';

export type Paint = (text: string) => string;

export interface Paints {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
}

const plain: Paint = (text) => text;

/**
 * Adds colours if the stream accepts them, otherwise returns texts unchanged. `colours` already takes NO_COLOR into
 * account.
 */
export function paintsFor({ colours }: Pick<Output, 'colours'>): Paints {
  const paint = (style: keyof Paints): Paint =>
    colours ? (text) => styleText(style, text, { validateStream: false }) : plain;
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    red: paint('red'),
    green: paint('green'),
    yellow: paint('yellow'),
  };
}

const ESCAPE = '\u001b';
/**
 * Matches the escape sequences that the paints above and the log for people use. These set styles and
 * colours; none of them hides text.
 */
const OWN_COLOURS = new RegExp(`(${ESCAPE}\\[(?:[127]|22|27|3[0-79]|4[0-79]|9[0-7])m)`);

/**
 * Removes everything that must not reach a terminal, except lines, tabs and the colours above. This is the last
 * safeguard: external text is sanitized on input, and if that was forgotten, it still cannot move the cursor.
 */
export function forTerminal(text: string): string {
  return text
    .split(OWN_COLOURS)
    .map((part, at) => (at % 2 === 1 ? part : printableLines(part)))
    .join('');
}
