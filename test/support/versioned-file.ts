import { padded } from '../e2e/fixture.ts';

/**
 * Content in which every line names its file, its version and the number of lines of that version: readers/versioned.py
 * detects a byte of another version, a missing tail and a foreign file. All versions' lines are equally long.
 */
export function versionedFile(path: string, version: number, lines: number): string {
  return Array.from({ length: lines }, (_, index) => lineOf(path, version, index, lines)).join('');
}

/** The number of lines of a file that fit into `bytes`. */
export function linesIn(path: string, bytes: number): number {
  return Math.floor(bytes / lineOf(path, 0, 0, 0).length);
}

function lineOf(path: string, version: number, index: number, count: number): string {
  return `# ${path} version ${padded(version, 8)} line ${padded(index, 6)} of ${padded(count, 6)}\n`;
}
