import { Yielder } from '../base/yielder.ts';
import { ChangeLog } from '../sync/change-log.ts';
import type { Instant } from '../sync/instant.ts';
import type { TakeoverState } from '../sync/ports.ts';
import type { ReplacedInode } from '../sync/replaced-inode.ts';
import {
  type Generation,
  generationBytes,
  restoreGeneration,
  setPublishTime,
  TreeError,
} from '../tree/index.ts';
import type { SavedState, StateFacts, StateIdentity } from './saved-state.ts';
import { StateError } from './state-error.ts';
import { requireShapes } from './state-shapes.ts';

/**
 * The body of a state file: the lengths of its sections (64 bits each, little-endian), then the sections:
 *
 *     facts       JSON object (StateFacts)
 *     problems    JSON array
 *     removedDirectories  JSON array of [path, node id]
 *     replaced    JSON array (ReplacedInode)
 *     change log  the bytes of ChangeLog.encode()
 *     added, changed, touched
 *                 indices of the entries whose mtime is the publication's instant,
 *                 32 bits each in the host's byte order
 *     generation  the tree's buffer, as it was before these mtimes were set
 *
 * The reader sets these mtimes, because the instant is chosen only a moment before the swap, when there is no
 * time to write a tree.
 */
const SECTIONS = 9;
const TABLE_BYTES = 8 * SECTIONS;
/** How many entries of a JSON array are joined into one piece, which takes some 100 us. */
const BATCH = 256;

export type StateBody = readonly Uint8Array[];

/** Encodes a state. Returns the consecutive pieces of the body. The large pieces are views of the input. */
export async function encodeBody(state: TakeoverState, identity: StateIdentity): Promise<StateBody> {
  const {
    number,
    nextNodeId,
    peaks,
    history,
    digest,
    release,
    problems,
    removedDirectories,
    replaced,
    changeLog,
    generation,
  } = state;
  const { filters, writtenBy } = identity;
  const facts: StateFacts = { number, nextNodeId, peaks, history, digest, release, filters, writtenBy };
  const yielder = new Yielder();
  const nothing = new Uint32Array(0);
  const { added, changed, touched } = state.changes ?? { added: nothing, changed: nothing, touched: nothing };
  const sections: StateBody[] = [
    [Buffer.from(JSON.stringify(facts))],
    await jsonArray(problems, yielder),
    await jsonArray(removedDirectories, yielder),
    await jsonArray(replaced, yielder),
    [changeLog.encode()],
    [bytesOf(added)],
    [bytesOf(changed)],
    [bytesOf(touched)],
    [generationBytes(generation)],
  ];
  const table = Buffer.alloc(TABLE_BYTES);
  sections.forEach((section, index) => {
    table.writeBigUInt64LE(BigInt(lengthOf(section)), 8 * index);
  });
  return [table, ...sections.flat()];
}

export function lengthOf(pieces: StateBody): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

/**
 * Decodes a body whose checksum was right. Throws StateError with the code `damaged` if that is impossible.
 */
export function decodeBody(body: Buffer, instant: Instant): SavedState {
  const sections = cut(body);
  const [first, second, third, fourth] = sections.slice(0, 4).map(parse);
  const lists = { facts: first, problems: second, removedDirectories: third, replaced: fourth };
  const { facts, problems, removedDirectories, replaced } = requireShapes(lists, instant);
  const [log, added, changed, touched, tree] = sections.slice(4) as [Buffer, Buffer, Buffer, Buffer, Buffer];
  const changeLog = ChangeLog.decode(log);
  const generation = openTree(tree);
  const changes = {
    added: indices(added, generation),
    changed: indices(changed, generation),
    touched: indices(touched, generation),
  };
  setPublishTime(generation, changes, instant, facts.number);
  const highest = generation.nodeId(generation.entryByNodeRank(generation.entries - 1));
  const isLogged = changeLog?.entries.every(({ number }) => Number.isSafeInteger(number));
  if (!(facts.nextNodeId > highest) || changeLog === undefined || isLogged === false) {
    throw new StateError('damaged', 'it contradicts itself');
  }
  return {
    ...facts,
    generation,
    instant,
    problems,
    changeLog,
    removedDirectories: new Map(removedDirectories),
    replaced: dated(replaced, instant),
  };
}

/**
 * Completes replaced inodes: a directory that this publication removed gets the publication's instant as its
 * mtime. The execute bit and the date are missing in format 1.
 */
function dated(replaced: readonly ReplacedInode[], instant: Instant): readonly ReplacedInode[] {
  return replaced.map((node) => ({
    ...node,
    executable: node.executable ?? false,
    lastModified: node.lastModified ?? 0,
    version: node.version,
    mtime: node.mtime ?? instant,
  }));
}

function cut(body: Buffer): readonly Buffer[] {
  const sections: Buffer[] = [];
  let start = TABLE_BYTES;
  for (let index = 0; index < SECTIONS; index++) {
    const length = body.length < TABLE_BYTES ? -1 : Number(body.readBigUInt64LE(8 * index));
    const end = start + length;
    if (length < 0 || end > body.length) throw new StateError('damaged', 'its sections do not fit into it');
    sections.push(body.subarray(start, end));
    start = end;
  }
  return sections;
}

function parse(section: Buffer): unknown {
  try {
    return JSON.parse(section.toString());
  } catch (error) {
    if (error instanceof SyntaxError) throw new StateError('damaged', 'it holds what is no JSON');
    throw error;
  }
}

function openTree(section: Buffer): Generation {
  try {
    return restoreGeneration(section);
  } catch (error) {
    if (!(error instanceof TreeError)) throw error;
    throw new StateError('damaged', `the tree in it cannot be used (${error.code}: ${error.message})`);
  }
}

function indices(section: Buffer, { entries }: Generation): Uint32Array {
  const found = new Uint32Array(section.length >>> 2);
  bytesOf(found).set(section.subarray(0, 4 * found.length));
  if (found.some((index) => index >= entries))
    throw new StateError('damaged', 'it names entries that are not there');
  return found;
}

function bytesOf(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

/** Returns the JSON array of many entries, in pieces. Yields to the event loop in between. */
async function jsonArray(entries: Iterable<unknown>, yielder: Yielder): Promise<StateBody> {
  const pieces: Buffer[] = [];
  let batch: string[] = [];
  let before = '[';
  const flush = (after: string): void => {
    pieces.push(
      Buffer.from(`${batch.length === 0 ? before.replace(',', '') : before}${batch.join(',')}${after}`),
    );
    batch = [];
    before = ',';
  };
  for (const entry of entries) {
    batch.push(JSON.stringify(entry));
    if (batch.length === BATCH) flush('');
    if (yielder.due()) await yielder.turn();
  }
  flush(']');
  return pieces;
}
