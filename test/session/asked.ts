import { AttributeSource } from '../../src/session/attributes.ts';
import { ExtendedAttributes } from '../../src/session/extended-attributes.ts';
import { handle, type Outcome } from '../../src/session/kernel/opcode-handlers.ts';
import { MountedTrees } from '../../src/session/trees/mounted-trees.ts';
import type { ShownTree } from '../../src/session/trees/shown-tree.ts';
import type { Generation, GenerationChanges } from '../../src/tree/index.ts';
import { decodeRequest, ReplyWriter, type RequestKind } from '../../src/wire/index.ts';
import type { Files } from './live-session.ts';
import { name, type ReplyMessage, replyMessage, requestBytes, words } from './messages.ts';
import { mountedTree, served, type TreeOptions, treeOf } from './trees.ts';

export interface AskedOptions extends TreeOptions {
  readonly umask?: number;
}

/** A request and its reply without a kernel. The reply is in hex: length, error and unique (the header), and the body. */
export class Asked {
  readonly tree: ShownTree;
  readonly #trees: MountedTrees;
  readonly generation: Generation;
  readonly #bytes = Buffer.alloc(8192);
  readonly #reply = new ReplyWriter(this.#bytes);
  readonly #attributes: AttributeSource;
  readonly #packPrefix: string | undefined;

  constructor(files: Files, options: AskedOptions = {}) {
    const { umask = 0o222 } = options;
    this.#packPrefix = options.pack === undefined ? undefined : 'in/packs/';
    this.generation = treeOf(files, options).generation;
    this.#trees = new MountedTrees([mountedTree(this.generation)]);
    this.tree = this.#trees.first;
    this.#attributes = new AttributeSource({ uid: 0, gid: 0, umask });
  }

  node(path: string): number {
    return this.tree.generation.nodeId(this.tree.generation.find(path));
  }

  show(files: Files, number: number, options: AskedOptions = {}): void {
    const made = treeOf(files, { ...options, number }, this.tree.generation);
    this.tree.show(served(made.generation), made.changes as GenerationChanges);
  }

  get(node: number, attribute: string, size: number): string {
    return this.#ask('getxattr', node, Buffer.concat([words(size, 0), name(attribute)]));
  }

  list(node: number, size: number): string {
    return this.#ask('listxattr', node, words(size, 0));
  }

  /** The node id in the reply, 0 where there is no such name, or the errno as a negative number. */
  lookup(node: number, sought: string): number {
    this.#ask('lookup', node, name(sought));
    return this.#bytes.readInt32LE(4) || Number(this.#bytes.readBigUInt64LE(16));
  }

  /** The mode in the reply to GETATTR, or the errno as a negative number. */
  mode(node: number): number {
    this.#ask('getattr', node, words(0, 0, 0, 0));
    return this.#bytes.readInt32LE(4) || this.#bytes.readUInt32LE(16 + 16 + 60);
  }

  /** Counts of blocks and of inodes. */
  statfs(): Readonly<Record<'blocks' | 'bfree' | 'bavail' | 'files' | 'ffree', number>> {
    this.#ask('statfs', 1, Buffer.alloc(0));
    const at = (index: number): number => Number(this.#bytes.readBigUInt64LE(16 + 8 * index));
    return { blocks: at(0), bfree: at(1), bavail: at(2), files: at(3), ffree: at(4) };
  }

  /** Handles a whole message, valid or not. Returns the outcome, and the reply if it comes at once. */
  message(request: Uint8Array): { readonly outcome: Outcome; readonly reply: ReplyMessage | undefined } {
    const view = new DataView(request.buffer, request.byteOffset, request.byteLength);
    const decoded = decodeRequest(request, view, 0, request.length);
    if (decoded.kind === 'init') throw new Error("INIT is the session's to answer");
    const outcome = handle(decoded, {
      trees: this.#trees,
      attributes: this.#attributes,
      extended: new ExtendedAttributes([
        { source: 's3://b/in/', keyPrefix: 'in/', packPrefix: this.#packPrefix },
      ]),
      reply: this.#reply,
    });
    const isAnswered = outcome.kind === 'answered';
    return {
      outcome,
      reply: isAnswered ? replyMessage(this.#bytes.subarray(0, this.#reply.length)) : undefined,
    };
  }

  #ask(opcode: RequestKind, node: number, body: Buffer): string {
    this.message(requestBytes(opcode, node, body));
    return this.#bytes.toString('hex', 0, this.#reply.length);
  }
}
