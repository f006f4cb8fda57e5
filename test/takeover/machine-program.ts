import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, type TestContext } from 'node:test';
import { repository } from '../support/repository.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const sources = [
  'test/takeover/machine-walk.c',
  ...['machine', 'transitions', 'messages'].map((name) => `native/supervisor/${name}.c`),
].map((path) => join(repository, path));
const flags = ['-std=gnu17', '-g', '-Wall', '-Wextra', '-Werror', '-D_GNU_SOURCE'];
const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

export const compilerMissing =
  spawnSync('cc', ['--version']).error === undefined ? false : 'there is no C compiler';

export type Build = 'plain' | 'sanitized';

/** The supervisor's state machine as a program that reads events. It is compiled once, before the tests of a file. */
export class MachineProgram {
  readonly #builds: readonly Build[];
  #program: string | undefined;

  /** Uses the first of the builds that can be compiled. */
  constructor(...builds: readonly Build[]) {
    this.#builds = builds;
    const ends: (() => Promise<void> | void)[] = [];
    // A hook that is registered within another hook would run when that one ends.
    after(async () => {
      for (const end of ends) await end();
    });
    before(async () => {
      const directory = await temporaryDirectory({ after: (end) => void ends.push(end) });
      for (const build of this.#builds) this.#program ??= compile(build, join(directory, build));
    });
  }

  /** Runs commands (machine-walk.c), and returns the lines of output. Skips the test if nothing could be compiled. */
  run(t: TestContext, lines: readonly string[]): readonly string[] | undefined {
    if (this.#program !== undefined) return run(this.#program, lines);
    t.skip('there is no C compiler, or it has no sanitizers');
    return undefined;
  }
}

function compile(build: Build, program: string): string | undefined {
  const all = [...flags, ...(build === 'sanitized' ? sanitizers : []), '-o', program, ...sources];
  const { error, status, stderr } = spawnSync('cc', all, { encoding: 'utf8' });
  if (error !== undefined) return undefined;
  if (status === 0) return program;
  // If the sanitizers' libraries are missing, the compiler fails when it links.
  if (build === 'sanitized' && /cannot find|unrecognized|unsupported/.test(stderr)) return undefined;
  throw new Error(stderr);
}

function run(program: string, lines: readonly string[]): readonly string[] {
  const { status, stdout, stderr } = spawnSync(program, [], {
    input: `${lines.join('\n')}\n`,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    // If the test itself runs under AddressSanitizer, its LD_PRELOAD is for another library.
    env: { ...process.env, LD_PRELOAD: '' },
  });
  if (status !== 0) throw new Error(`exit code ${status}: ${stderr}`);
  return stdout.split('\n').slice(0, -1);
}

/** The rows of the table of docs/takeover.md whose header begins with these cells. */
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
