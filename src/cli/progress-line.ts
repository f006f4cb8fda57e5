import { printable } from '../base/printable.ts';
import type { Progress } from '../server/server-port.ts';
import { formatCount, formatSize } from './format.ts';
import type { Shell } from './shell.ts';

const REDRAW_MS = 100;
/** The rate is an average over this time, so that it follows the store without flickering. */
const RATE_MS = 3_000;

/**
 * Shows the progress in one line of a terminal, and redraws the line until the mount is ready. Writes nothing
 * if stderr is not a terminal. Uses only carriage returns and blanks, which every terminal supports.
 */
export class ProgressLine {
  readonly #shell: Pick<Shell, 'err' | 'now'>;
  #shown = '';
  #drawnAt = Number.NEGATIVE_INFINITY;
  #samples: { readonly at: number; readonly bytes: number }[] = [];

  constructor(shell: Pick<Shell, 'err' | 'now'>) {
    this.#shell = shell;
  }

  show(progress: Progress): void {
    if (!this.#shell.err.isTerminal) return;
    if (progress.phase === 'ready') {
      this.erase();
      return;
    }
    const now = this.#shell.now();
    if (now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    this.#draw(this.#textOf(progress, now));
  }

  /** Erases the line; the next update draws it again. */
  erase(): void {
    this.#draw('');
  }

  /** Erases the progress line while `write` writes other lines, and draws it again below them. */
  around(write: () => void): void {
    const text = this.#shown;
    this.erase();
    write();
    this.#draw(text);
  }

  #textOf(progress: Progress, now: number): string {
    if (progress.phase === 'listing') return progressText(progress);
    return progressText(progress, this.#rate(now, progress.totalBytes - progress.pendingBytes));
  }

  /** Returns the rate in bytes per second; undefined while there are too few samples. */
  #rate(now: number, bytes: number): number | undefined {
    this.#samples.push({ at: now, bytes });
    this.#samples = this.#samples.filter(({ at }) => now - at <= RATE_MS);
    const [first] = this.#samples;
    if (first === undefined || now - first.at < REDRAW_MS) return undefined;
    return Math.max(0, ((bytes - first.bytes) * 1000) / (now - first.at));
  }

  #draw(text: string): void {
    // A line of the terminal's full width would wrap, and could not be erased.
    const fitting = text.slice(0, Math.max(0, this.#shell.err.columns - 1));
    if (fitting === '' && this.#shown === '') return;
    const blanks = ' '.repeat(Math.max(0, this.#shown.length - fitting.length));
    this.#shell.err.rewrite(`${fitting}${blanks}`);
    if (fitting === '') this.#shell.err.rewrite('');
    this.#shown = fitting;
  }
}

/**
 * Describes in one line how far dagmount has fetched the first trees, and which objects a tree waits for
 * because the store does not return them.
 */
export function progressText(progress: Progress, bytesPerSecond?: number): string {
  const { phase, totalFiles, totalBytes, pendingFiles, pendingBytes, waitingFor } = progress;
  const waits = waitingFor === undefined ? '' : `; waits for ${waitedForText(waitingFor)}`;
  if (phase === 'listing') return `dagmount: listing the prefix${waits}`;
  const bytes = totalBytes - pendingBytes;
  const files = `${formatCount(totalFiles - pendingFiles)} of ${formatCount(totalFiles)} files`;
  const speed = bytesPerSecond === undefined ? '' : `, ${formatSize(bytesPerSecond)}/s`;
  return `dagmount: fetching, ${files}, ${formatSize(bytes)} of ${formatSize(totalBytes)}${speed}${waits}`;
}

/** Lists the objects that a tree waits for, with the store's error for each object. */
export function waitedForText({
  files,
  objects,
}: Pick<NonNullable<Progress['waitingFor']>, 'files' | 'objects'>): string {
  const names = objects.map(({ path, detail }) => printable(`${path} (${detail})`)).join(', ');
  return files > objects.length ? `${names}, and ${formatCount(files - objects.length)} more` : names;
}
