import { KernelSession } from '../../../src/session/kernel/kernel-session.ts';
import type { KernelSessionOptions } from '../../../src/session/kernel/kernel-session-options.ts';
import type { FetchResult, LeftOfTree } from '../../../src/session/messages.ts';
import { RequestMeter } from '../../../src/session/request-meter.ts';
import type { SessionEnd } from '../../../src/session/session-end.ts';
import type { Generation } from '../../../src/tree/index.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { Files } from '../live-session.ts';
import { mountedTree, treeOf } from '../trees.ts';
import { FakeKernel } from './fake-kernel.ts';

interface AskedFetch {
  readonly tree: number;
  readonly path: string;
  readonly chunk: number | undefined;
  readonly reader: number | undefined;
  readonly signal: AbortSignal;
  answer(result: FetchResult): void;
}

/** A session over a fake kernel, and what it told its server. */
export class SessionOnBytes {
  readonly kernel = new FakeKernel();
  readonly fetches: AskedFetch[] = [];
  readonly serving: unknown[] = [];
  readonly faults: string[] = [];
  readonly ends: SessionEnd[] = [];
  readonly released: number[] = [];
  #started: { readonly session: KernelSession; readonly generation: Generation } | undefined;

  /** `of`: the tree to serve instead of one that is built from the files. */
  start(
    files: Files,
    { left, ...options }: Partial<KernelSessionOptions> & { readonly left?: Partial<LeftOfTree> } = {},
    of?: Generation,
  ): void {
    const generation = of ?? treeOf(files).generation;
    const session = new KernelSession({
      addon: this.kernel.addon,
      fd: -1,
      trees: [mountedTree(generation, left)],
      presentation: { uid: 0, gid: 0, umask: 0o222 },
      meter: new RequestMeter(RequestMeter.memory()),
      fetchOf:
        (tree) =>
        ({ path }, chunk, signal, reader) =>
          new Promise((answer) =>
            this.fetches.push({ tree, path, chunk, reader, signal: signal as AbortSignal, answer }),
          ),
      versionIdOf: async () => 'v1',
      rootAttributeOf: async ({ attribute }) => (attribute === 'seq' ? '42' : undefined),
      findVersion: async () => ({ kind: 'absent' }),
      onVersionUsed: () => undefined,
      onServing: (word) => this.serving.push(word),
      onFault: (error, opcode) => this.faults.push(`${opcode}: ${String(error)}`),
      onReleased: (_tree, nodeIds) => this.released.push(...nodeIds),
      onStuck: () => undefined,
      onEnd: (end) => this.ends.push(end),
      ...options,
    });
    this.#started = { session, generation };
  }

  get session(): KernelSession {
    return this.#get().session;
  }

  get generation(): Generation {
    return this.#get().generation;
  }

  node(path: string): number {
    return this.generation.nodeId(this.generation.find(path));
  }

  answered(count: number): Promise<boolean> {
    return waitFor(`${count} answers`, () => this.kernel.answers.length >= count);
  }

  /** The fetches that the session asked main for, once there are this many. */
  async fetched(count: number): Promise<readonly AskedFetch[]> {
    await waitFor(`${count} fetches`, () => this.fetches.length >= count);
    return this.fetches;
  }

  async stop(): Promise<void> {
    await this.#started?.session.stop();
  }

  #get(): { readonly session: KernelSession; readonly generation: Generation } {
    if (this.#started === undefined) throw new Error('the session was not started');
    return this.#started;
  }
}
