import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../support/repository.ts';
import { type Cleanup, temporaryDirectory } from '../support/temporary.ts';

const sources = [
  'test/takeover/machine-walk.c',
  ...['machine', 'transitions', 'messages'].map((name) => `native/supervisor/${name}.c`),
].map((path) => join(repository, path));
const flags = ['-std=gnu17', '-g', '-Wall', '-Wextra', '-Werror', '-D_GNU_SOURCE'];
const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

export type Build = 'plain' | 'sanitized';

/** Compiles the supervisor's state machine into a program that is told events. Undefined where that cannot be done here. */
export async function compileMachine(t: Cleanup, build: Build): Promise<string | undefined> {
  const program = join(await temporaryDirectory(t), 'machine');
  const all = [...flags, ...(build === 'sanitized' ? sanitizers : []), '-o', program, ...sources];
  const { error, status, stderr } = spawnSync('cc', all, { encoding: 'utf8' });
  if (error !== undefined) return undefined;
  if (status === 0) return program;
  // A compiler without the libraries of the sanitizers fails as it links.
  if (build === 'sanitized' && /cannot find|unrecognized|unsupported/.test(stderr)) return undefined;
  throw new Error(stderr);
}

/** Runs lines of commands (machine-walk.c) through the program, and returns its lines. */
export function run(program: string, lines: readonly string[]): readonly string[] {
  const { status, stdout, stderr } = spawnSync(program, [], {
    input: `${lines.join('\n')}\n`,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    // The one of a test run under AddressSanitizer itself is for another library.
    env: { ...process.env, LD_PRELOAD: '' },
  });
  if (status !== 0) throw new Error(`exit code ${status}: ${stderr}`);
  return stdout.split('\n').slice(0, -1);
}

/** The rows of a table of docs/takeover.md, by the first cells of its header. */
export function documented(...header: readonly string[]): readonly (readonly string[])[] {
  const lines = readFileSync(join(repository, 'docs/takeover.md'), 'utf8').split('\n');
  const start = lines.findIndex((line) => header.every((cell, at) => cellsOf(line)[at] === cell));
  const rows = lines.slice(start + 2);
  return rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith('|')),
    )
    .map(cellsOf);
}

export function cellsOf(line: string): readonly string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}
