import assert from 'node:assert/strict';
import { codeOf } from '../../src/sync/failure.ts';
import type { Cleanup } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { checkOthers, checkWhatIsSaid } from './invariants.ts';
import { changedPath, Lab, largePath, newPath, oddPath, type Read } from './lab.ts';
import type { Codes, Place, Row, Seen } from './seen.ts';

/** Nothing takes as long; a cell that hangs ends by it. */
const PATIENCE_MS = 12_000;

/** Tries one answer in one place: what is seen while it comes, and that all is well after it. */
export async function tryCell(test: Cleanup, row: Row, place: Place): Promise<void> {
  const seen = row.seen[place];
  if (seen.kind === 'not-here') return;
  const cell = new CellTrial(await Lab.open(test), row, place, seen);
  await cell.run();
}

class CellTrial {
  readonly #lab: Lab;
  readonly #row: Row;
  readonly #place: Place;
  readonly #seen: Exclude<Seen, { kind: 'not-here' }>;
  /** The file that is struck. */
  readonly #path: string;

  constructor(lab: Lab, row: Row, place: Place, seen: Exclude<Seen, { kind: 'not-here' }>) {
    this.#lab = lab;
    this.#row = row;
    this.#place = place;
    this.#seen = seen;
    this.#path = place === 'range' ? largePath : oddPath;
  }

  async run(): Promise<void> {
    try {
      await this.#strike();
      checkWhatIsSaid(this.#lab);
      this.#relent();
      await this.#isWell();
      checkWhatIsSaid(this.#lab);
    } catch (error) {
      if (error instanceof Error) error.message += `\n${this.#state()}`;
      throw error;
    }
  }

  #strike(): Promise<void> {
    switch (this.#place) {
      case 'listing':
        return this.#strikeListing();
      case 'first':
        return this.#strikeFirst();
      case 'later':
        return this.#strikeLater();
      case 'range':
        return this.#strikeRange();
      default:
        return this.#place satisfies never;
    }
  }

  /** The first start, then a revalidation that has something to show. */
  async #strikeListing(): Promise<void> {
    const lab = this.#lab;
    this.#begin();
    const seen = this.#seen;
    if (seen.kind === 'store') {
      // What a first start says of a store that it does not know may be less.
      assert.notEqual(await this.#startFails(), 'internal');
      lab.relent();
      await this.#startHealthy();
      this.#begin();
    } else await this.#start();
    await this.#wait('the fault to strike', () => lab.struck > 0);
    lab.change();
    if (seen.kind === 'store') await this.#storeIsBlamed(seen.codes);
    else await this.#treeIsNew();
    if (seen.kind === 'named') await this.#isNamed(seen.reasons);
    if (seen.kind === 'object') await this.#objectIsBlamed(seen.codes);
    if (seen.kind === 'content') await this.#nothingIsSaid();
    if (seen.kind === 'named' && seen.file === 'left-out') assert.equal(lab.sizeOf(this.#path), undefined);
    else if (seen.kind === 'content' || seen.kind === 'named') await this.#reads(this.#path);
    await this.#othersAreRead();
  }

  async #strikeFirst(): Promise<void> {
    const lab = this.#lab;
    this.#begin();
    await this.#start();
    await this.#wait('the fault to strike', () => lab.struck > 0 || this.#row.put !== undefined);
    switch (this.#seen.kind) {
      case 'content':
        await this.#wait('the tree to be ready', () => lab.sync.view.ready);
        lab.change();
        await this.#treeIsNew();
        await this.#reads(this.#path);
        await this.#nothingIsSaid();
        break;
      case 'object':
        // Others go on: a change is shown, and the tree is ready.
        lab.change();
        await this.#treeIsNew();
        await this.#wait('the tree to be ready', () => lab.sync.view.ready);
        await this.#objectIsBlamed(this.#seen.codes);
        break;
      case 'store':
        await this.#failsToRead(this.#path, this.#seen.codes);
        assert.equal(lab.sync.view.ready, false, 'a tree of which nothing can be read is called ready');
        assert.deepEqual(lab.problems(), []);
        return;
      default:
        await this.#wait('the tree to be ready', () => lab.sync.view.ready);
    }
    await this.#othersAreRead();
  }

  async #strikeLater(): Promise<void> {
    const lab = this.#lab;
    await this.#startHealthy();
    const before = this.#published();
    this.#begin();
    lab.change(oddPath);
    if (this.#row.put !== undefined) lab.put(oddPath, this.#row.put);
    await this.#wait('the fault to strike', () => lab.struck > 0 || this.#row.put !== undefined);
    const seen = this.#seen;
    switch (seen.kind) {
      case 'content':
        await this.#treeIsNew();
        await this.#reads(this.#path);
        await this.#nothingIsSaid();
        break;
      case 'object':
        await this.#oldIsReadUntil(before);
        await this.#treeIsNew();
        await this.#objectIsBlamed(seen.codes);
        break;
      case 'store':
        await this.#storeIsBlamed(seen.codes);
        assert.equal(this.#published(), before, 'something was published');
        await this.#reads(this.#path, 'any');
        break;
      case 'held':
        await this.#wait(
          'the tree to be held',
          () => lab.sync.view.held !== undefined && lab.degraded.includes('held'),
        );
        assert.equal(this.#published(), before, 'something was published');
        await this.#reads(this.#path, 'any');
        break;
      default:
        await this.#treeIsNew();
    }
    await this.#othersAreRead();
  }

  async #strikeRange(): Promise<void> {
    const lab = this.#lab;
    if (this.#row.put !== undefined) lab.put(largePath, this.#row.put);
    if (this.#row.lasting === true) this.#begin();
    await this.#startHealthy();
    this.#begin();
    const seen = this.#seen;
    if (seen.kind === 'content') await this.#reads(largePath);
    else if (seen.kind === 'object' || seen.kind === 'store') await this.#failsToRead(largePath, seen.codes);
    assert.ok(lab.struck > 0 || this.#row.put !== undefined, 'the fault did not strike');
    // Whoever reads one file is no reason to hold up another.
    if (this.#row.scope !== 'all') {
      lab.change();
      await this.#treeIsNew();
      await this.#othersAreRead();
    }
  }

  #begin(): void {
    const lab = this.#lab;
    if (this.#row.put !== undefined && this.#place === 'first') lab.put(this.#path, this.#row.put);
    const { list, get, ...row } = this.#row;
    // A store that is so for ever is so in every answer.
    const inList = this.#place === 'listing' || row.lasting === true;
    const inGet = this.#place !== 'listing' || row.lasting === true;
    lab.strike({ ...row, ...(inList && { list }), ...(inGet && { get }) }, this.#path);
  }

  #relent(): void {
    const lab = this.#lab;
    if (this.#row.lasting !== true) lab.relent();
    lab.change();
    if (this.#row.put !== undefined) lab.put(this.#path);
  }

  async #startHealthy(): Promise<void> {
    const lab = this.#lab;
    if (this.#row.lasting === true) this.#begin();
    await this.#start();
    await this.#wait('the first tree to be ready', () => lab.sync.view.ready);
    // The part that is to be struck stays with the store.
    await checkOthers(lab, this.#place === 'range' ? largePath : '', []);
  }

  /** Tried again as somebody would: a busy machine may make a request late. */
  async #start(): Promise<void> {
    await this.#wait('the first tree', async () => {
      try {
        await this.#lab.start();
        return true;
      } catch (error) {
        if (codeOf(error) !== 'unreachable') throw error;
        return false;
      }
    });
  }

  async #startFails(): Promise<string> {
    try {
      await this.#lab.start();
    } catch (error) {
      return codeOf(error) ?? 'internal';
    }
    throw new assert.AssertionError({ message: 'the first start showed a tree' });
  }

  /** The change that came with the fault is shown. */
  async #treeIsNew(): Promise<void> {
    await this.#reads(changedPath);
    await this.#reads(newPath);
  }

  /** Waits until a reader gets what the store has; no reader gets what it never had. */
  async #reads(path: string, version: 'newest' | 'any' = 'newest'): Promise<void> {
    const lab = this.#lab;
    let last: Read | undefined;
    const isRight = async (): Promise<boolean> => {
      last = await lab.read(path);
      if (last.kind !== 'bytes') return false;
      assert.ok(lab.everHad(path, last.bytes), `${path} has bytes that it never had`);
      return version === 'any' || last.bytes.equals(lab.wanted(path));
    };
    await this.#wait(`the ${version} bytes of ${path}`, isRight, () => describe(last));
  }

  async #failsToRead(path: string, codes: Codes): Promise<void> {
    const lab = this.#lab;
    let last: Read | undefined;
    const fails = async (): Promise<boolean> => {
      last = await lab.read(path);
      if (last.kind === 'bytes')
        assert.ok(lab.everHad(path, last.bytes), `${path} has bytes that it never had`);
      if (last.kind !== 'error') return false;
      assert.notEqual(last.code, 'internal');
      return last.code === 'deadline' || codes.includes(last.code);
    };
    await this.#wait(`the reading of ${path} to fail with ${codes.join(' or ')}`, fails, () =>
      describe(last),
    );
  }

  /** Until the tree is published the old version is read: no reader gets an error in its place. */
  async #oldIsReadUntil(before: number): Promise<void> {
    const lab = this.#lab;
    const isPublished = async (): Promise<boolean> => {
      const shown = lab.sync.shown;
      const read = await lab.read(oddPath);
      if (shown !== lab.sync.shown || this.#published() > before) return true;
      assert.equal(read.kind, 'bytes', `an error in the place of the old version: ${describe(read)}`);
      return false;
    };
    await this.#wait('the tree to be published', isPublished);
  }

  async #objectIsBlamed(codes: Codes): Promise<void> {
    const lab = this.#lab;
    await this.#isNamed(['unreadable-object']);
    await this.#wait('degraded: unreadable-objects', () => lab.degraded.includes('unreadable-objects'));
    assert.deepEqual(lab.degraded, ['unreadable-objects']);
    const { detail } = lab.problems()[0]!;
    assert.match(detail, this.#row.told ?? /\w/, 'the detail of the problem');
    assert.ok(
      lab.notices.some(({ kind }) => kind.startsWith('unreadable')),
      `no event among ${[...new Set(lab.notices.map(({ kind }) => kind))].join(', ')}`,
    );
    await this.#failsToRead(this.#path, codes);
    assert.equal(lab.sizeOf(this.#path), lab.wanted(this.#path).length, 'the size that is shown');
  }

  async #storeIsBlamed(codes: Codes): Promise<void> {
    const lab = this.#lab;
    const code = (): string | undefined => lab.sync.view.source.lastError?.code;
    const isBlamed = (): boolean => codes.includes(code() ?? 'nothing');
    await this.#wait(
      `a revalidation to fail with ${codes.join(' or ')}`,
      isBlamed,
      () => code() ?? 'none failed',
    );
    assert.match(lab.degraded.join(' '), /^source-[a-z]+$/);
    assert.deepEqual(lab.problems(), []);
  }

  async #isNamed(reasons: readonly string[]): Promise<void> {
    const lab = this.#lab;
    const isNamed = (): boolean => lab.problems().some(({ reason }) => reasons.includes(reason));
    await this.#wait(`a problem: ${reasons.join(' or ')}`, isNamed, () => describe(lab.problems()));
    const problems = lab.problems();
    assert.equal(problems.length, 1, describe(problems));
    const isWhole = problems[0]!.path === this.#path;
    assert.ok(
      isWhole || this.#row.told?.test(problems[0]!.path),
      `the key: ${problems[0]!.path.slice(0, 100)}`,
    );
    assert.equal(lab.views.status().problems, 1);
  }

  async #nothingIsSaid(): Promise<void> {
    const lab = this.#lab;
    await this.#wait(
      'no problem and no trouble',
      () => this.#isQuiet(),
      () => describe([lab.problems(), lab.degraded]),
    );
  }

  #isQuiet(): boolean {
    const lab = this.#lab;
    return lab.problems().length === 0 && lab.degraded.length === 0;
  }

  async #othersAreRead(): Promise<void> {
    await checkOthers(this.#lab, this.#row.scope === 'all' ? '' : this.#path, [newPath]);
  }

  /** After the fault: the newest of every file, and nothing left to say. */
  async #isWell(): Promise<void> {
    const lab = this.#lab;
    await this.#treeIsNew();
    for (const path of lab.paths()) await this.#reads(path);
    await this.#wait('the tree to be ready', () => lab.sync.view.ready);
    await this.#nothingIsSaid();
  }

  #published(): number {
    return this.#lab.presenter.publications.length;
  }

  async #wait(
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

  /** For whoever has to find out why a cell fails. */
  #state(): string {
    const { view } = this.#lab.sync;
    const lines = this.#lab.log.lines
      .filter(({ level }) => level === 'warn' || level === 'error')
      .slice(-6)
      .map(({ message, fields }) => `  ${message} ${JSON.stringify(fields).slice(0, 300)}`);
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

function describe(value: unknown): string {
  const text = JSON.stringify(value, (_, part: unknown) =>
    part instanceof Buffer ? `${part.length} bytes` : part,
  );
  return (text ?? 'nothing').slice(0, 500);
}
