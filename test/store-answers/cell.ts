import assert from 'node:assert/strict';
import { codeOf } from '../../src/sync/failure.ts';
import type { Cleanup } from '../support/temporary.ts';
import { checkOthers, checkWhatIsSaid } from './invariants.ts';
import { type InTurn, Lab, largePath, newPath, oddPath } from './lab.ts';
import type { Place, Row, Seen } from './seen.ts';
import { describe, Witness } from './witness.ts';

/** Tries one answer in one place: checks what is seen while it comes, and that all is well afterwards. */
export async function tryCell(test: Cleanup, row: Row, place: Place, inTurn: InTurn): Promise<void> {
  const seen = row.seen[place];
  if (seen.kind === 'not-here') return;
  const cell = new CellTrial(await Lab.open(test, 0, inTurn), row, place, seen);
  await cell.run();
}

class CellTrial {
  readonly #lab: Lab;
  readonly #witness: Witness;
  readonly #row: Row;
  readonly #place: Place;
  readonly #seen: Exclude<Seen, { kind: 'not-here' }>;
  /** The file that the fault strikes. */
  readonly #path: string;

  constructor(lab: Lab, row: Row, place: Place, seen: Exclude<Seen, { kind: 'not-here' }>) {
    this.#lab = lab;
    this.#witness = new Witness(lab);
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
      if (error instanceof Error) error.message += `\n${this.#witness.state()}`;
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

  /** Strikes the first start, then a revalidation that has something to show. */
  async #strikeListing(): Promise<void> {
    const lab = this.#lab;
    this.#begin();
    const seen = this.#seen;
    if (seen.kind === 'store') {
      // A first start does not know the store yet, so its error may say less.
      assert.notEqual(await this.#startFails(), 'internal');
      lab.relent();
      await this.#startHealthy();
      this.#begin();
    } else await this.#start();
    await this.#witness.wait('the fault to strike', () => lab.struck > 0);
    lab.change();
    if (seen.kind === 'store') await this.#witness.storeIsBlamed(seen.codes);
    else await this.#witness.treeIsNew();
    if (seen.kind === 'named') await this.#witness.isNamed(this.#path, seen.reasons, this.#row.told);
    if (seen.kind === 'object') await this.#witness.objectIsBlamed(this.#path, seen.codes, this.#row.told);
    if (seen.kind === 'content') await this.#witness.nothingIsSaid();
    if (seen.kind === 'named' && seen.file === 'left-out') assert.equal(lab.sizeOf(this.#path), undefined);
    else if (seen.kind === 'content' || seen.kind === 'named') await this.#witness.reads(this.#path);
    await this.#othersAreRead();
  }

  async #strikeFirst(): Promise<void> {
    const lab = this.#lab;
    this.#begin();
    await this.#start();
    await this.#witness.wait('the fault to strike', () => lab.struck > 0 || this.#row.put !== undefined);
    switch (this.#seen.kind) {
      case 'content':
        await this.#witness.wait('the tree to be ready', () => lab.sync.view.ready);
        lab.change();
        await this.#witness.treeIsNew();
        await this.#witness.reads(this.#path);
        await this.#witness.nothingIsSaid();
        break;
      case 'object':
        // Other files are not affected: the mount shows a change, and the tree becomes ready.
        lab.change();
        await this.#witness.treeIsNew();
        await this.#witness.wait('the tree to be ready', () => lab.sync.view.ready);
        await this.#witness.objectIsBlamed(this.#path, this.#seen.codes, this.#row.told);
        break;
      case 'store':
        await this.#witness.failsToRead(this.#path, this.#seen.codes);
        assert.equal(lab.sync.view.ready, false, 'a tree of which nothing can be read is called ready');
        assert.deepEqual(lab.problems(), []);
        return;
      default:
        await this.#witness.wait('the tree to be ready', () => lab.sync.view.ready);
    }
    await this.#othersAreRead();
  }

  async #strikeLater(): Promise<void> {
    const lab = this.#lab;
    await this.#startHealthy();
    const before = this.#witness.published();
    this.#begin();
    // So many failing files that the mount blames the store, and not each file.
    const more = this.#row.scope === 'all' ? ['team/dag_00.py', 'team/dag_01.py', 'team/dag_02.py'] : [];
    lab.change(oddPath, ...more);
    if (this.#row.put !== undefined) lab.put(oddPath, this.#row.put);
    await this.#witness.wait('the fault to strike', () => lab.struck > 0 || this.#row.put !== undefined);
    const seen = this.#seen;
    switch (seen.kind) {
      case 'content':
        await this.#witness.treeIsNew();
        await this.#witness.reads(this.#path);
        await this.#witness.nothingIsSaid();
        break;
      case 'object':
        await this.#oldIsReadUntil(before);
        await this.#witness.treeIsNew();
        await this.#witness.objectIsBlamed(this.#path, seen.codes, this.#row.told);
        break;
      case 'store':
        await this.#witness.storeIsBlamed(seen.codes);
        assert.equal(this.#witness.published(), before, 'something was published');
        await this.#witness.reads(this.#path, 'any');
        break;
      case 'held':
        await this.#witness.wait(
          'the tree to be held',
          () => lab.sync.view.held !== undefined && lab.degraded.includes('held'),
        );
        assert.equal(this.#witness.published(), before, 'something was published');
        await this.#witness.reads(this.#path, 'any');
        break;
      default:
        await this.#witness.treeIsNew();
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
    if (seen.kind === 'content') await this.#witness.reads(largePath);
    else if (seen.kind === 'object' || seen.kind === 'store')
      await this.#witness.failsToRead(largePath, seen.codes);
    const isSo = this.#row.put !== undefined || this.#row.lasting === true;
    assert.ok(isSo || lab.struck > 0, 'the fault did not strike');
    // A failing read of one file must not hold up any other file.
    if (this.#row.scope !== 'all') {
      lab.change();
      await this.#witness.treeIsNew();
      await this.#othersAreRead();
    }
  }

  #begin(): void {
    const lab = this.#lab;
    if (this.#row.put !== undefined && this.#place === 'first') lab.put(this.#path, this.#row.put);
    const { list, get, ...row } = this.#row;
    // A lasting trait of the store is in all of its answers.
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
    await this.#witness.wait('the first tree to be ready', () => lab.sync.view.ready);
    // Leave the part that the fault is to strike in the store: do not read it.
    await checkOthers(lab, this.#place === 'range' ? largePath : '', []);
  }

  /** Retries the start, as an operator would: on a busy machine, a request may be late. */
  async #start(): Promise<void> {
    await this.#witness.wait('the first tree', async () => {
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

  /** Until the tree is published, readers get the old version, and no error in its place. */
  async #oldIsReadUntil(before: number): Promise<void> {
    const lab = this.#lab;
    const isPublished = async (): Promise<boolean> => {
      const shown = lab.sync.shown;
      const read = await lab.read(oddPath);
      if (shown !== lab.sync.shown || this.#witness.published() > before) return true;
      assert.equal(read.kind, 'bytes', `an error in the place of the old version: ${describe(read)}`);
      return false;
    };
    await this.#witness.wait('the tree to be published', isPublished);
  }

  async #othersAreRead(): Promise<void> {
    await checkOthers(this.#lab, this.#row.scope === 'all' ? '' : this.#path, [newPath]);
  }

  /** After the fault, every file has its newest version, and no message is left. */
  async #isWell(): Promise<void> {
    const lab = this.#lab;
    await this.#witness.treeIsNew();
    for (const path of lab.paths()) await this.#witness.reads(path);
    await this.#witness.wait('the tree to be ready', () => lab.sync.view.ready);
    await this.#witness.nothingIsSaid();
  }
}
