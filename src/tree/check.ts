import { type Columns, openColumns } from './columns.ts';
import type { Generation } from './generation.ts';
import {
  DIGEST_BYTES,
  FLAG_ARCHIVED,
  FLAG_DIGEST,
  FLAG_DIRECTORY,
  FLAG_EXECUTABLE,
  FLAG_PACKED_ETAG,
  HEADER,
  layoutOf,
} from './layout.ts';
import { ROOT_NODE_ID } from './node-ids.ts';
import { TreeError } from './tree-error.ts';

const KNOWN_FLAGS = FLAG_DIRECTORY | FLAG_ARCHIVED | FLAG_PACKED_ETAG | FLAG_EXECUTABLE | FLAG_DIGEST;

/**
 * Checks every column against the invariants on which the accessors rely. After that, no accessor can read
 * out of range, loop, or return an entry that is not a child. Used for bytes that come from a disk. Throws
 * TreeError `damaged`.
 */
export function checkGeneration(generation: Generation): void {
  const { buffer, entries } = generation;
  const header = new DataView(buffer);
  const columns = openColumns(buffer, layoutOf(entries, header.getUint32(HEADER.heapBytes, true)));
  checkShape(columns, entries);
  checkCookies(columns, entries);
  checkNodes(columns, entries);
  checkContent(columns, generation);
}

function expect(holds: boolean, what: string): asserts holds {
  if (!holds) throw new TreeError('damaged', `the generation contradicts itself: ${what}`);
}

/**
 * Checks the names and the breadth-first order, in which the ranges of children are consecutive and cover all
 * entries except the root.
 */
function checkShape({ flags, parents, childStarts, nameStarts, heap }: Columns, entries: number): void {
  expect(flags[0] === FLAG_DIRECTORY && parents[0] === 0, 'root');
  expect(childStarts[0] === 1 && childStarts[entries] === entries, 'children');
  expect(nameStarts[0] === 0 && nameStarts[1] === 0 && nameStarts[entries]! <= heap.length, 'names');
  for (let i = 0; i < entries; i++) {
    const start = childStarts[i]!;
    const end = childStarts[i + 1]!;
    const directory = (flags[i]! & FLAG_DIRECTORY) !== 0;
    expect(start <= end && end <= entries && (directory || start === end), 'children');
    expect(start > i, 'children');
    for (let child = start; child < end; child++) expect(parents[child] === i, 'parent');
    const length = nameStarts[i + 1]! - nameStarts[i]!;
    expect(i === 0 || (length >= 1 && length <= 255), 'names');
  }
}

function checkCookies({ cookieHigh, cookieLow, parents }: Columns, entries: number): void {
  for (let i = 1; i < entries; i++) {
    const high = cookieHigh[i]!;
    const low = cookieLow[i]!;
    expect(high < 0x80000000 && (high > 0 || low >= 16), 'cookies');
    if (i === 1 || parents[i - 1] !== parents[i]) continue;
    const before = cookieHigh[i - 1]!;
    expect(before < high || (before === high && cookieLow[i - 1]! < low), 'cookies');
  }
}

/**
 * Checks that the node ids ascend strictly over all ranks. Then every rank has another entry, so `byNode` has
 * each entry once.
 */
function checkNodes({ byNode, nodeIds }: Columns, entries: number): void {
  expect(nodeIds[0] === ROOT_NODE_ID, 'node ids');
  let before = 0;
  for (let rank = 0; rank < entries; rank++) {
    const i = byNode[rank]!;
    expect(i < entries, 'node ids');
    const id = nodeIds[i]!;
    expect(Number.isSafeInteger(id) && id > before, 'node ids');
    before = id;
  }
}

function checkContent(columns: Columns, generation: Generation): void {
  const { flags, sizes, parents, etags, heap, mtimeNanoseconds, header } = columns;
  const { entries, isReleased } = generation;
  const subdirectories = new Uint32Array(entries);
  let directories = 0;
  let bytes = 0;
  for (let i = 0; i < entries; i++) {
    const flag = flags[i]!;
    expect((flag & ~KNOWN_FLAGS) === 0, 'flags');
    expect(Number.isSafeInteger(sizes[i]) && sizes[i]! >= 0, 'sizes');
    expect(mtimeNanoseconds[i]! < 1e9, 'dates');
    if ((flag & FLAG_PACKED_ETAG) === 0) {
      expect(etags[4 * i]! + etags[4 * i + 1]! <= heap.length, 'ETags');
    }
    if ((flag & FLAG_DIGEST) !== 0) {
      expect((flag & FLAG_PACKED_ETAG) === 0 && etags[4 * i + 1] === DIGEST_BYTES, 'digests');
      expect(etags[4 * i + 2]! + DIGEST_BYTES <= heap.length, 'packs');
    }
    if ((flag & FLAG_DIRECTORY) === 0) {
      expect(((flag & FLAG_DIGEST) !== 0) === isReleased, 'digests');
      bytes += sizes[i]!;
      continue;
    }
    expect(flag === FLAG_DIRECTORY, 'flags');
    directories++;
    if (i !== 0) subdirectories[parents[i]!]! += 1;
  }
  for (let i = 0; i < entries; i++) {
    if ((flags[i]! & FLAG_DIRECTORY) !== 0) expect(sizes[i] === subdirectories[i], 'subdirectories');
  }
  expect(generation.directories === directories && generation.files === entries - directories, 'counts');
  expect(generation.bytes === bytes, 'counts');
  const number = header.getFloat64(HEADER.number, true);
  expect(Number.isSafeInteger(number) && number >= 0, 'number');
}
