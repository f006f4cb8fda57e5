import { AttributeSource } from '../../src/session/attributes.ts';
import { ExtendedAttributes } from '../../src/session/extended-attributes.ts';
import { handle } from '../../src/session/handlers.ts';
import { ShownTree } from '../../src/session/shown-tree.ts';
import {
  buildGeneration,
  type Generation,
  type GenerationChanges,
  PathFilter,
  PatternList,
  setPublishTime,
} from '../../src/tree/index.ts';
import { decodeRequest, ReplyWriter } from '../../src/wire/index.ts';
import { type Files, listing } from './live-session.ts';

const LOOKUP = 1;
const GETATTR = 3;
const STATFS = 17;
const GETXATTR = 22;
const LISTXATTR = 23;

export interface AskedOptions {
  readonly number?: number;
  readonly umask?: number;
  readonly executable?: readonly string[];
  /** The store's date of every object. */
  readonly lastModified?: number;
}

/** A request and its reply without a kernel. The reply is in hex: length, error and unique (the header), and the body. */
export class Asked {
  readonly tree: ShownTree;
  readonly generation: Generation;
  readonly #bytes = Buffer.alloc(8192);
  readonly #reply = new ReplyWriter(this.#bytes);
  readonly #attributes: AttributeSource;

  constructor(files: Files, options: AskedOptions = {}) {
    const { number = 3, umask = 0o222 } = options;
    this.generation = built(files, number, options).generation;
    this.tree = new ShownTree(shown(this.generation));
    this.#attributes = new AttributeSource({ uid: 0, gid: 0, umask });
  }

  node(path: string): number {
    return this.tree.generation.nodeId(this.tree.generation.find(path));
  }

  show(files: Files, number: number, options: AskedOptions = {}): void {
    const made = built(files, number, options, this.tree.generation);
    this.tree.show(shown(made.generation), made.changes as GenerationChanges);
  }

  get(node: number, name: string, size: number): string {
    return this.#ask(GETXATTR, node, Buffer.concat([words(size, 0), Buffer.from(`${name}\0`)]));
  }

  list(node: number, size: number): string {
    return this.#ask(LISTXATTR, node, words(size, 0));
  }

  /** The node id in the reply, 0 where there is no such name, or the errno as a negative number. */
  lookup(node: number, name: string): number {
    this.#ask(LOOKUP, node, Buffer.from(`${name}\0`));
    return this.#bytes.readInt32LE(4) || Number(this.#bytes.readBigUInt64LE(16));
  }

  /** Of GETATTR, or the errno as a negative number. */
  mode(node: number): number {
    this.#ask(GETATTR, node, words(0, 0, 0, 0));
    return this.#bytes.readInt32LE(4) || this.#bytes.readUInt32LE(16 + 16 + 60);
  }

  /** In blocks, and in inodes. */
  statfs(): Readonly<Record<'blocks' | 'bfree' | 'bavail' | 'files' | 'ffree', number>> {
    this.#ask(STATFS, 1, Buffer.alloc(0));
    const at = (index: number): number => Number(this.#bytes.readBigUInt64LE(16 + 8 * index));
    return { blocks: at(0), bfree: at(1), bavail: at(2), files: at(3), ffree: at(4) };
  }

  #ask(opcode: number, node: number, body: Buffer): string {
    const request = Buffer.concat([words(40 + body.length, opcode, 6, 0, node, 0, 0, 0, 0, 0), body]);
    const view = new DataView(request.buffer, request.byteOffset, request.length);
    handle(decodeRequest(request, view, 0, request.length), {
      tree: this.tree,
      attributes: this.#attributes,
      extended: new ExtendedAttributes({ source: 's3://b/in/', keyPrefix: 'in/' }),
      reply: this.#reply,
    });
    return this.#bytes.toString('hex', 0, this.#reply.length);
  }
}

function built(files: Files, number: number, options: AskedOptions, previous?: Generation) {
  const { executable = [], lastModified } = options;
  const listed = listing(files);
  if (lastModified !== undefined) listed.lastModified.fill(lastModified);
  const made = buildGeneration({
    objects: listed,
    filter: PathFilter.compile({ include: [], exclude: [] }),
    executable: PatternList.compile(executable),
    previous,
    removedDirectories: new Map(),
    nextNodeId: previous === undefined ? 2 : 1 + highestNodeId(previous),
    salt: 7n,
    now: 1_700_000_000_000,
  });
  setPublishTime(made.generation, made.changes, { seconds: 1_700_000_000, nanoseconds: 0 }, number);
  return made;
}

function highestNodeId(generation: Generation): number {
  return generation.nodeId(generation.entryByNodeRank(generation.entries - 1));
}

function shown(generation: Generation) {
  return { generation: generation.buffer, fingerprints: new SharedArrayBuffer(8 * generation.entries) };
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => {
    bytes.writeUInt32LE(value, 4 * index);
  });
  return bytes;
}
