import { startCli } from '../../src/cli/start-cli.ts';
import type { Parts } from '../../src/server/server.ts';
import * as server from '../../src/server/server.ts';
import type { Candidate } from '../../src/source/source.ts';
import { testedEntries } from './tested-entries.ts';

/**
 * The command with named points at which the process is killed; each point lies between two calls of a revalidation.
 * TEST_STOP_AT names the point. The first tree passes all points; the first change after it does not. Under a
 * supervisor, TEST_STOP_TIMES servers end there, one after another; by default one.
 */
const [, restarts = '0'] = (process.env.DAGMOUNT_SUPERVISOR ?? '').split(' ');
const times = Number(process.env.TEST_STOP_TIMES ?? 1);
const stopAt = Number(restarts) < times ? process.env.TEST_STOP_AT : undefined;
delete process.env.TEST_STOP_AT;
delete process.env.TEST_STOP_TIMES;
/** Milliseconds after the swap in which the server tells the kernel of it. */
const NOTIFYING_MS = 2;

const parts: Parts = ({ source, cache, presenter, persister }) => {
  let published = 0;
  let shown: string | undefined;
  let newest: Candidate | undefined;
  const point = (name: string): void => {
    if (published > 0 && name === stopAt) process.kill(process.pid, 'SIGKILL');
  };
  return {
    source: {
      kind: source.kind,
      look: async (options) => {
        if (published > 1) point('retired');
        const look = await source.look(options);
        if (look.kind === 'candidate') newest = look.candidate;
        if (newest?.digest !== shown) point('listed');
        return look;
      },
      build: async (options) => {
        point('settled');
        const built = await source.build(options);
        point('built');
        return built;
      },
      accept: (digest, options) => source.accept(digest, options),
    },
    cache: {
      ensure: (version, chunk, options) => cache.ensure(version, chunk, options),
      fetchCurrent: (path, options) => cache.fetchCurrent(path, options),
      has: (version, chunk) => cache.has(version, chunk),
      show: (version, bound) => cache.show(version, bound),
      hide: (version) => {
        if (published > 1) point('published');
        cache.hide(version);
      },
      pin: (name) => cache.pin(name),
      unpin: (name) => cache.unpin(name),
    },
    presenter: {
      publish: async (publication) => {
        // After a delay, so that the kernel may have acknowledged the first notification.
        if (published > 0) setTimeout(() => point('notifying'), Math.random() * NOTIFYING_MS);
        await presenter.publish(publication);
        point('notified');
      },
      onReleased: (callback) => presenter.onReleased(callback),
    },
    persister: {
      get troubles() {
        return persister.troubles;
      },
      persist: async (state) => {
        point('prefetched');
        await persister.persist(state);
        point('persisted');
      },
      commit: async (instant) => {
        await persister.commit(instant);
        point('committed');
      },
      acknowledged: () => {
        persister.acknowledged();
        published += 1;
        shown = newest?.digest;
      },
    },
  };
};

startCli(async () => ({
  ...server,
  serve: (config, options) => server.serve(config, options, { parts, entries: testedEntries() }),
}));
