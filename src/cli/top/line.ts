import { printable } from '../../base/printable.ts';

export type Style = 'plain' | 'bold' | 'dim' | 'title' | 'good' | 'warning' | 'bad';

export interface Span {
  readonly text: string;
  readonly style: Style;
}

/** One row of the screen, from its left edge. */
export type Line = readonly Span[];

export const BLANK: Line = [];

export function span(text: string, style: Style = 'plain'): Span {
  return { text: printable(text), style };
}

/** A heading that spans the whole width of the screen. */
export function title(text: string, width: number): Line {
  return [span(text.padEnd(width), 'title')];
}

/** A name in bold, followed by its value. */
export function fact(name: string, ...spans: readonly Span[]): Line {
  return [{ text: name.padEnd(FACT_WIDTH), style: 'bold' }, ...spans];
}

const FACT_WIDTH = 'generation  '.length;
