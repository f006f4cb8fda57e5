import type { Logger } from '../base/logger.ts';
import type { SessionHost } from '../session/driver.ts';
import { findLockHolders } from '../session/kernel/lock-holders.ts';
import type { VersionAnswer } from '../session/messages.ts';
import { PublicationWatch, type StuckPublication } from '../session/publication-watch.ts';
import { SessionClient } from '../session/session-client.ts';
import type { SessionEnd } from '../session/session-end.ts';
import { type PreparedTree, prepareTree, type TreePreparationOptions } from './tree-preparation.ts';

export interface PreparationOptions extends Pick<TreePreparationOptions, 'entries' | 'atEnd'> {
  /** Indexed by tree number. */
  readonly trees: readonly Pick<TreePreparationOptions, 'config' | 'source' | 'observer' | 'log'>[];
  /** The driver's session host. */
  readonly host: SessionHost;
  readonly log: Logger;
  /** Called when a process prevents the kernel from applying a publication, and without argument when that is over. */
  readonly onStuck: (stuck: StuckPublication | undefined) => void;
  /** `major:minor` of the mount. */
  readonly device: () => string | undefined;
  readonly onEnded: (end: SessionEnd) => void;
}

/** Answers a session's questions about versions (earlier releases). */
export interface FindsVersions {
  /** Finds a version for a reader, which is a uid. Never rejects. */
  find(id: string, reader: number, signal: AbortSignal): Promise<VersionAnswer>;
  used(id: string): void;
}

export type Prepared = ReturnType<typeof prepare>;

/** Prepares what readers would otherwise wait for. Touches nothing that another server may use. */
export function prepare(options: PreparationOptions) {
  const { host, log, atEnd, onStuck, onEnded, entries } = options;
  const trees: readonly PreparedTree[] = options.trees.map((tree) =>
    prepareTree({ ...tree, entries, atEnd }),
  );
  const publications = new PublicationWatch({
    log,
    now: Date.now,
    findHolders: async (nodeId, signal) => {
      const device = options.device();
      return device === undefined ? [] : await findLockHolders({ device, nodeId, signal });
    },
    onChange: onStuck,
  });
  atEnd(() => publications.stop());
  let loaded: FindsVersions | undefined;
  const session = new SessionClient(host, {
    stuck: publications.tell,
    fetch: (tree, ...asked) => trees[tree]!.gate.read(...asked),
    released: (tree, nodeIds) => trees[tree]!.gate.released(nodeIds),
    findVersion: async (id, reader, signal) =>
      (await loaded?.find(id, reader, signal)) ?? { kind: 'unavailable' },
    versionUsed: (id) => loaded?.used(id),
    fault: (opcode, error) =>
      log.error(
        { event: 'request-failed', opcode, error },
        'a kernel request failed with an unexpected error',
      ),
    ended: onEnded,
  });
  return {
    /** Indexed by tree number. */
    trees,
    publications,
    session,
    /**
     * Sets what answers questions about versions. Must be called before the session is started with versions.
     */
    versionsBy: (found: FindsVersions): void => {
      loaded = found;
    },
  };
}
