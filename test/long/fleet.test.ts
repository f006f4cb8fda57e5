import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { metricsOf } from '../support/control.ts';
import { type Fleet, FlipWatch, type Node, spreadOf, startFleet, untilAllShow } from '../support/fleet.ts';
import { endImporter, startImporter } from '../support/importer.ts';
import { mountImpossible } from '../support/mount.ts';
import type { ProxiedRequest } from '../support/proxy.ts';
import type { Reader } from '../support/reader.ts';
import { versionedModules } from '../support/versioned-modules.ts';

const MODULES = 200;
const MOUNTS = 3;
const READERS = 8;
const DEPLOYS = 20;
const ARMED = 3;
/** The last module that all versions have: every second version lacks some of the later ones. */
const watched = 'shared/m0100.py';

/** When the test kills a server. The last two moments fall into the download of content, or into its publication. */
const MOMENTS = [
  { object: '/manifests/', afterMs: 0 },
  { object: '/packs/', afterMs: 0 },
  { object: '/packs/', afterMs: 30 },
  { object: '/packs/', afterMs: 150 },
] as const;

const filesOf = (version: number) => versionedModules(version % 2 === 0 ? MODULES : MODULES - 20, version);
const headOf = (version: number): string => `version ${version} of`;

function startReaders({ nodes }: Fleet): readonly Reader[] {
  return Array.from({ length: READERS }, (_, at) => startImporter(nodes[at % nodes.length]!.mount.target));
}

/** Ends the readers. None may have seen an error, an incomplete file, or two versions within a generation. */
async function endReaders(readers: readonly Reader[]) {
  const results = await Promise.all(readers.map(endImporter));
  const wrong = results.flatMap(({ problems, mixed }) => [...problems, ...mixed]);
  assert.deepEqual(wrong, []);
  const walks = results.reduce((sum, { passes }) => sum + passes, 0);
  const proven = results.reduce((sum, one) => sum + one.proven, 0);
  assert.ok(proven > 0, 'no walk lay between two equal generations');
  return { walks, proven, versions: new Set(results.flatMap(({ versions }) => versions)) };
}

/** Kills the server of a node once, `afterMs` after it asked for such an object. */
async function killAt({ mount, proxy }: Node, { object, afterMs }: (typeof MOMENTS)[number]): Promise<void> {
  const server = await mount.serverPid();
  await new Promise<void>((resolve) => {
    proxy.fault = ({ url }) => {
      if (!url.includes(object)) return undefined;
      proxy.fault = undefined;
      setTimeout(() => resolve(void process.kill(server, 'SIGKILL')), afterMs);
      // If the kill is immediate, the answer must not arrive before it.
      return afterMs === 0 ? { delay: 100 } : undefined;
    };
  });
}

function isContent({ url }: ProxiedRequest): boolean {
  return url.includes('/packs/');
}

describe(`${READERS} readers on ${MOUNTS} mounts of an environment`, { skip: mountImpossible }, () => {
  test(`see no mixture in ${DEPLOYS} deploys of ${MODULES} files, and in some that are shown at an instant`, async (t) => {
    const fleet = await startFleet(t, MOUNTS, filesOf(1));
    const flips = new FlipWatch(t, fleet, watched);
    const readers = startReaders(fleet);
    for (let version = 2; version <= DEPLOYS; version++) {
      await fleet.deploy(filesOf(version));
      await untilAllShow(fleet, version);
    }
    for (let version = DEPLOYS + 1; version <= DEPLOYS + ARMED; version++) {
      await fleet.deploy(filesOf(version), '--at', '+5s');
      const instants = await flips.seen(headOf(version));
      t.diagnostic(`at an instant: all mounts within ${spreadOf(instants).toFixed(0)} ms`);
      await untilAllShow(fleet, version);
    }
    const { walks, proven, versions } = await endReaders(readers);
    t.diagnostic(`${walks} walks, ${proven} of them between equal generations, of ${versions.size} versions`);
    assert.ok(versions.size > 1);
  });

  test('see a roll-back for which no content is downloaded, and one for which the store has none', async (t) => {
    const fleet = await startFleet(t, MOUNTS, filesOf(1));
    for (const version of [2, 3]) {
      await fleet.deploy(filesOf(version));
      await untilAllShow(fleet, version);
    }
    const flips = new FlipWatch(t, fleet, watched);
    const readers = startReaders(fleet);
    const contents: string[] = [];
    for (const { proxy } of fleet.nodes) {
      proxy.fault = (request) => {
        if (isContent(request)) contents.push(request.url);
        return undefined;
      };
    }
    const bytes = async (): Promise<number> => {
      const each = await Promise.all(
        fleet.nodes.map(async ({ mount }) => (await metricsOf(mount))('source_bytes_total') ?? 0),
      );
      return each.reduce((sum, one) => sum + one, 0);
    };
    const rollBack = async (seq: number, version: number, ...to: readonly string[]): Promise<void> => {
      const before = await bytes();
      await fleet.command('rollback', 'production', ...to);
      const end = Date.now();
      const later = Math.max(...(await flips.seen(headOf(version)))) - end;
      await untilAllShow(fleet, seq);
      t.diagnostic(
        `rolled back: in all mounts ${later.toFixed(0)} ms after the command, ${(await bytes()) - before} bytes`,
      );
    };
    await rollBack(4, 2);
    assert.deepEqual(contents, []);

    await fleet.remove('packs/');
    await rollBack(5, 1, '--to', '1');
    assert.deepEqual(contents, []);
    const { versions } = await endReaders(readers);
    assert.ok(versions.has(1) && versions.has(2));
  });

  test('see no mixture where servers are killed while a release arrives', async (t) => {
    const fleet = await startFleet(t, MOUNTS, filesOf(1));
    const readers = startReaders(fleet);
    for (let version = 2; version <= 1 + MOMENTS.length; version++) {
      const deaths = fleet.nodes.map((node, at) => killAt(node, MOMENTS[(at + version) % MOMENTS.length]!));
      await fleet.deploy(filesOf(version));
      await Promise.all(deaths);
      await untilAllShow(fleet, version);
    }
    const { walks, proven, versions } = await endReaders(readers);
    t.diagnostic(`${walks} walks, ${proven} of them between equal generations`);
    assert.ok(versions.has(1 + MOMENTS.length));
  });
});
