/** One cell of a terminal. */
export interface Cell {
  readonly text: string;
  /** 0 to 15; undefined for the terminal's own. */
  readonly colour: number | undefined;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly inverse: boolean;
}

const FONT_SIZE = 14;
const CELL_WIDTH = 8.4;
const LINE_HEIGHT = 18;
const MARGIN = 12;
const BACKGROUND = '#16181d';
const FOREGROUND = '#d6d9e0';
/** The first eight of the sixteen colours, and the same brighter. */
const COLOURS = [
  '#3b4048',
  '#e06c75',
  '#98c379',
  '#e5c07b',
  '#61afef',
  '#c678dd',
  '#56b6c2',
  '#d6d9e0',
  '#6b727f',
  '#ff8a94',
  '#b5e08f',
  '#ffd98a',
  '#85c5ff',
  '#dc9af0',
  '#7fd5df',
  '#ffffff',
];

/** Draws the content of a terminal as a vector picture; `title` describes it for screen readers. */
export function svgOf(lines: readonly (readonly Cell[])[], title: string): string {
  const columns = Math.max(...lines.map((line) => line.length));
  const width = Math.ceil(columns * CELL_WIDTH + 2 * MARGIN);
  const height = lines.length * LINE_HEIGHT + 2 * MARGIN;
  const rows = lines.flatMap((line, row) => runsOf(line).map((run) => runSvg(run, row)));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${FONT_SIZE}" xml:space="preserve">
${rows.join('')}</g>
</svg>
`;
}

interface Run extends Cell {
  readonly column: number;
}

/** Runs of adjacent cells with the same look. Runs of invisible blanks are left out. */
function runsOf(line: readonly Cell[]): readonly Run[] {
  const runs: Run[] = [];
  line.forEach((cell, column) => {
    const last = runs.at(-1);
    if (last !== undefined && isAlike(last, cell))
      runs[runs.length - 1] = { ...last, text: last.text + cell.text };
    else runs.push({ ...cell, column });
  });
  return runs.filter(({ text, inverse }) => inverse || text.trim() !== '');
}

function isAlike(one: Cell, other: Cell): boolean {
  return (
    one.colour === other.colour &&
    one.bold === other.bold &&
    one.dim === other.dim &&
    one.inverse === other.inverse
  );
}

function runSvg({ text, colour, bold, dim, inverse, column }: Run, row: number): string {
  const x = round(MARGIN + column * CELL_WIDTH);
  const y = MARGIN + row * LINE_HEIGHT;
  const width = round(text.length * CELL_WIDTH);
  const own = colour === undefined ? FOREGROUND : (COLOURS[colour] ?? FOREGROUND);
  const behind = inverse
    ? `<rect x="${x}" y="${y}" width="${width}" height="${LINE_HEIGHT}" fill="${own}"/>\n`
    : '';
  if (text.trim() === '') return behind;
  const look = `${bold ? ' font-weight="bold"' : ''}${dim ? ' opacity="0.6"' : ''}`;
  // If no font is exactly this wide, the columns still stay where they are.
  const shown = text.trimEnd();
  const length = round(shown.length * CELL_WIDTH);
  return `${behind}<text x="${x}" y="${y + 13}" textLength="${length}" lengthAdjust="spacingAndGlyphs" fill="${inverse ? BACKGROUND : own}"${look}>${escaped(shown)}</text>\n`;
}

function round(number: number): number {
  return Math.round(number * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
