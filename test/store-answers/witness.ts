import assert from 'node:assert/strict';
import { waitFor } from '../support/wait-for.ts';
import { changedPath, type Lab, newPath, type Read } from './lab.ts';
import type { Codes } from './seen.ts';

/** No wait takes this long. A wait that hangs ends then. */
const PATIENCE_MS = 60_000;

/** Waits until a mount shows something, and checks the rest of the mount. */
export class Witness {
  readonly #lab: Lab;

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  /** Waits until the change that came with the fault is shown. */
  async treeIsNew(): Promise<void> {
    await this.reads(changedPath);
    await this.reads(newPath);
  }

  /** Waits until a reader gets what the store has. No reader may get bytes that the file never had. */
  async reads(path: string, version: 'newest' | 'any' = 'newest'): Promise<void> {
    const lab = this.#lab;
    let last: Read | undefined;
    const isRight = async (): Promise<boolean> => {
      last = await lab.read(path);
      if (last.kind !== 'bytes') return false;
      assert.ok(lab.everHad(path, last.bytes), `${path} has bytes that it never had`);
      return version === 'any' || last.bytes.equals(lab.wanted(path));
    };
    await this.wait(`the ${version} bytes of ${path}`, isRight, () => describe(last));
  }

  async failsToRead(path: string, codes: Codes): Promise<void> {
    const lab = this.#lab;
    let last: Read | undefined;
    const fails = async (): Promise<boolean> => {
      last = await lab.read(path);
      if (last.kind === 'bytes')
        assert.ok(lab.everHad(path, last.bytes), `${path} has bytes that it never had`);
      if (last.kind !== 'error') return false;
      assert.notEqual(last.code, 'internal');
      // A busy machine caused this deadline, before the store was asked.
      if (last.code === 'deadline' && lab.struck === 0) return false;
      return last.code === 'deadline' || codes.includes(last.code);
    };
    await this.wait(`the reading of ${path} to fail with ${codes.join(' or ')}`, fails, () => describe(last));
  }

  /** @param told what the problem must contain of the store's answer */
  async objectIsBlamed(path: string, codes: Codes, told: RegExp | undefined): Promise<void> {
    const lab = this.#lab;
    await this.isNamed(path, ['unreadable-object']);
    await this.wait(
      'degraded: unreadable-objects, and nothing else',
      () => lab.degraded.join() === 'unreadable-objects',
      () => lab.degraded.join(),
    );
    // On a busy machine, a try may end by its deadline. The next try gets the store's answer.
    await this.wait(
      `a problem whose detail has ${told ?? /\w/}`,
      () => (told ?? /\w/).test(lab.problems()[0]?.detail ?? ''),
      () => describe(lab.problems()),
    );
    assert.ok(
      lab.notices.some(({ kind }) => kind.startsWith('unreadable')),
      `no event among ${[...new Set(lab.notices.map(({ kind }) => kind))].join(', ')}`,
    );
    await this.failsToRead(path, codes);
    assert.equal(lab.sizeOf(path), lab.wanted(path).length, 'the size that is shown');
  }

  async storeIsBlamed(codes: Codes): Promise<void> {
    const lab = this.#lab;
    const code = (): string | undefined => lab.sync.view.source.lastError?.code;
    const isBlamed = (): boolean => codes.includes(code() ?? 'nothing');
    await this.wait(
      `a revalidation to fail with ${codes.join(' or ')}`,
      isBlamed,
      () => code() ?? 'none failed',
    );
    // An endless listing may be slow as well.
    const degraded = lab.degraded.filter((known) => known !== 'source-slow');
    assert.match(degraded.join(' '), /^source-[a-z]+$/);
    assert.deepEqual(lab.problems(), []);
  }

  /** @param key a pattern of the key, where it is not the key of the file */
  async isNamed(path: string, reasons: readonly string[], key?: RegExp): Promise<void> {
    const lab = this.#lab;
    // On a busy machine, other objects may be late, too. The mount retries them.
    const isNamed = (): boolean => lab.problems().length === 1 && reasons.includes(lab.problems()[0]!.reason);
    await this.wait(`one problem: ${reasons.join(' or ')}`, isNamed, () => describe(lab.problems()));
    const problems = lab.problems();
    const named = problems[0]!.path;
    assert.ok(named === path || key?.test(named), `the key: ${named.slice(0, 100)}`);
    assert.equal(lab.views.status().problems, 1);
  }

  async nothingIsSaid(): Promise<void> {
    const lab = this.#lab;
    await this.wait(
      'no problem and no trouble',
      () => lab.problems().length === 0 && lab.degraded.length === 0,
      () => describe([lab.problems(), lab.degraded]),
    );
  }

  published(): number {
    return this.#lab.presenter.publications.length;
  }

  async wait(
    what: string,
    ask: () => boolean | Promise<boolean>,
    last: () => string = () => '',
  ): Promise<void> {
    try {
      await waitFor(what, ask, PATIENCE_MS, 15);
    } catch (error) {
      if (error instanceof Error && last() !== '') error.message += `: ${last()}`;
      throw error;
    }
  }

  /** Helps to find out why a cell fails. */
  state(): string {
    const { view } = this.#lab.sync;
    const lines = this.#lab.log.lines
      .filter(({ level }) => level === 'warn' || level === 'error')
      .slice(-6)
      .map(({ event, fields }) => `  ${event} ${JSON.stringify(fields).slice(0, 300)}`);
    const { ready, source, held } = view;
    const known = {
      ready,
      error: source.lastError?.message,
      held: held?.reason,
      problems: this.#lab.problems().length,
    };
    return [JSON.stringify(known), ...lines].join('\n');
  }
}

export function describe(value: Read | readonly unknown[] | undefined): string {
  if (value !== undefined && 'kind' in value && value.kind === 'bytes') return `${value.bytes.length} bytes`;
  return (JSON.stringify(value) ?? 'nothing').slice(0, 500);
}
