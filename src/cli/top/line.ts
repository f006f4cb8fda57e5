import { printable } from '../../base/printable.ts';

export type Style = 'plain' | 'bold' | 'dim' | 'title' | 'good' | 'warning' | 'bad';

export interface Span {
  readonly text: string;
  readonly style: Style;
}

/** One row of the screen, from its left edge on. */
export type Line = readonly Span[];

export const BLANK: Line = [];

export function span(text: string, style: Style = 'plain'): Span {
  return { text: printable(text), style };
}

/** The heading of a part of the screen, across all of it. */
export function title(text: string, width: number): Line {
  return [span(text.padEnd(width), 'title')];
}

/** A name in bold and what is said of it. */
export function fact(name: string, ...spans: readonly Span[]): Line {
  return [{ text: name.padEnd(FACT_WIDTH), style: 'bold' }, ...spans];
}

const FACT_WIDTH = 'generation  '.length;
