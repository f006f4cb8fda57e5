import type { Stop } from '../cache/single-flight.ts';
import type { AskedVersion } from './asked-version.ts';
import type { Fetch } from './content-reader.ts';
import type { Session } from './driver.ts';
import {
  type FetchResult,
  type FromSession,
  NOTHING_COUNTED,
  type SessionStart,
  type ToSession,
  type VersionAnswer,
} from './messages.ts';
import { Questions } from './questions.ts';
import type { AskedRoot } from './root-attributes.ts';

/** The session's side of the channel to the main thread. */
export interface SessionPort {
  tell(message: FromSession): void;
  onMessage(listener: (message: ToSession) => void): void;
  /** Stops sending messages, and lets the thread or process end. */
  close(): void;
}

/** The functions that a session gets from the thread or process in which it runs. */
export interface SessionEnvironment {
  readonly tell: (message: FromSession) => void;
  readonly fetchOf: (tree: number) => Fetch;
  /** Whether the main thread has opened the cache. */
  readonly isMainThere: () => boolean;
  /** Whether the main thread is gone, and cannot be asked any more. */
  readonly isAlone: () => boolean;
  /**
   * Resolves with the id that the store gave to a file version, or undefined if it is unknown. Only the main
   * thread knows the id, because it receives the store's responses.
   */
  readonly versionIdOf: (version: AskedVersion) => Promise<string | undefined>;
  /**
   * Asks the source for a version (the tree of a release) that is not loaded, for a waiting uid. Never
   * rejects.
   */
  readonly findVersion: FindVersion;
  /** Resolves with undefined if the attribute has no value, or if the main thread is gone. */
  readonly rootAttributeOf: (asked: AskedRoot) => Promise<string | undefined>;
  /** Called for a request that failed with an unexpected error; the reader got EIO. */
  readonly onFault: (error: unknown, opcode: string) => void;
}

export type FindVersion = (id: string, reader: number, signal: Stop) => Promise<VersionAnswer>;

/**
 * Handles the messages of a session's thread or process, which uses no network and parses no XML. It asks the
 * main thread for everything that the shown tree and the local disk do not provide. It hashes content only
 * while the main thread cannot be asked for it.
 * `rehearse` runs what `start` would run, without a connection.
 * Returns a function to call when the main thread is gone. From then on, all questions to the main thread
 * fail, and a waiting read of content that is not local fails with EIO.
 */
export function serveSession(
  port: SessionPort,
  start: (message: SessionStart, environment: SessionEnvironment) => Session,
  rehearse?: (message: SessionStart, environment: SessionEnvironment, over: AbortSignal) => Promise<void>,
): () => void {
  let lastId = 0;
  const common = { tell: (message: FromSession) => port.tell(message), newId: () => ++lastId };
  const fetches = new Questions<FetchResult>({
    ...common,
    unavailable: { kind: 'error', failure: 'unavailable' },
  });
  const versions = new Questions<VersionAnswer>({ ...common, unavailable: { kind: 'unavailable' } });
  const texts = new Questions<string | undefined>({ ...common, unavailable: undefined });
  let isAlone = false;
  let isMainThere = false;
  let session: Session | undefined;
  /** Aborted when this session serves a connection. */
  const started = new AbortController();
  const environment: SessionEnvironment = {
    tell: (message) => port.tell(message),
    fetchOf: (tree) => (version, chunk, signal, reader) =>
      fetches.ask((id) => ({ kind: 'fetch', id, tree, version, chunk, reader }), signal),
    isMainThere: () => isMainThere,
    isAlone: () => isAlone,
    versionIdOf: ({ tree, path, etag }) =>
      texts.ask((id) => ({ kind: 'ask-version-id', id, tree, path, etag })),
    findVersion: (version, reader, signal) =>
      versions.ask((id) => ({ kind: 'find-version', id, version, reader }), signal),
    rootAttributeOf: (asked) => texts.ask((id) => ({ kind: 'ask-root-attribute', id, ...asked })),
    onFault: (error, opcode) => port.tell({ kind: 'fault', opcode, error: stackOf(error) }),
  };
  port.onMessage(async (message) => {
    switch (message.kind) {
      case 'start':
        started.abort();
        session = start(message, environment);
        return;
      case 'rehearse':
        try {
          if (session === undefined) await rehearse?.(message.start, environment, started.signal);
          port.tell({ kind: 'rehearsed', error: undefined });
        } catch (error) {
          // A session that cannot rehearse may still be able to serve.
          port.tell({ kind: 'rehearsed', error: stackOf(error) });
        }
        return;
      case 'show':
        if (session !== undefined) {
          const { tree, shown } = message;
          port.tell({ kind: 'published', tree, outcome: session.show(tree, shown) });
        }
        return;
      case 'publish':
        if (session !== undefined) {
          const { tree, shown, changes } = message;
          port.tell({ kind: 'published', tree, outcome: await session.publish(tree, shown, changes) });
        }
        return;
      case 'fetched':
        fetches.answered(message.id, message.result);
        return;
      case 'version-id':
        texts.answered(message.id, message.versionId);
        return;
      case 'version':
        versions.answered(message.id, message.answer);
        return;
      case 'drop-version':
        port.tell({
          kind: 'version-dropped',
          version: message.id,
          isGone: (await session?.dropVersion(message.id, message.changedAt)) ?? false,
        });
        return;
      case 'root-attribute':
        texts.answered(message.id, message.value);
        return;
      case 'count':
        port.tell({ kind: 'counters', counters: session?.counters() ?? NOTHING_COUNTED });
        return;
      case 'main-is-there':
        isMainThere = true;
        return;
      case 'stop':
        await session?.stop();
        port.close();
        return;
      default:
        message satisfies never;
    }
  });
  return () => {
    isAlone = true;
    for (const questions of [fetches, versions, texts]) questions.close();
  };
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
