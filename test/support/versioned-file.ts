import { padded } from '../e2e/fixture.ts';

/**
 * Content of which every line names its file, its version and how many lines that version has: readers/versioned.py
 * tells a byte of another version, a missing tail and a foreign file from it. All versions' lines are equally long.
 */
export function versionedFile(path: string, version: number, lines: number): string {
  return Array.from({ length: lines }, (_, index) => lineOf(path, version, index, lines)).join('');
}

/** How many lines of a file are as long as `bytes`, at the most. */
export function linesIn(path: string, bytes: number): number {
  return Math.floor(bytes / lineOf(path, 0, 0, 0).length);
}

function lineOf(path: string, version: number, index: number, count: number): string {
  return `# ${path} version ${padded(version, 8)} line ${padded(index, 6)} of ${padded(count, 6)}\n`;
}
