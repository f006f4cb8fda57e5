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

/** Colours where the stream takes them, the text as it is where not: `colours` has heard NO_COLOR already. */
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
/** The sequences that the paints above and the log for people are made of: styles and colours, and nothing that hides text. */
const OWN_COLOURS = new RegExp(`(${ESCAPE}\\[(?:[127]|22|27|3[0-79]|4[0-79]|9[0-7])m)`);

/**
 * What may reach a terminal: lines, tabs and the colours above. The last safeguard: foreign text is cleaned on input,
 * and if that was forgotten, it still cannot move the cursor.
 */
export function forTerminal(text: string): string {
  return text
    .split(OWN_COLOURS)
    .map((part, at) => (at % 2 === 1 ? part : printableLines(part)))
    .join('');
}
