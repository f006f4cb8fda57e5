import { parseArgs } from 'node:util';
import { FlipWatch, spreadOf, startFleet, untilAllShow } from '../test/support/fleet.ts';
import { endImporter, startImporter } from '../test/support/importer.ts';
import type { Cleanup } from '../test/support/temporary.ts';
import { versionedModules } from '../test/support/versioned-modules.ts';
import { withCleanup } from './with-cleanup.ts';

/**
 * Several mounts of one environment under readers that walk and import a tree: `node dist/bench/fleet.js [--mounts 3]
 * [--readers 8] [--modules 200] [--runs 5]`. Prints how far apart the mounts showed a release that was deployed for an
 * instant (`--at +5s`), by readers that poll a file of each mount; and how long after the command a roll-back was in all of
 * them, polled every second, with the requests for content that it took.
 */
const { values } = parseArgs({
  options: {
    mounts: { type: 'string', default: '3' },
    readers: { type: 'string', default: '8' },
    modules: { type: 'string', default: '200' },
    runs: { type: 'string', default: '5' },
  },
});

async function bench(context: Cleanup): Promise<void> {
  const filesOf = (version: number) => versionedModules(Number(values.modules), version);
  const fleet = await startFleet(context, Number(values.mounts), filesOf(1));
  let contents = 0;
  for (const { proxy } of fleet.nodes) {
    proxy.fault = ({ url }) => {
      if (url.includes('/packs/')) contents += 1;
      return undefined;
    };
  }
  const flips = new FlipWatch(context, fleet, 'shared/m0000.py');
  const readers = Array.from({ length: Number(values.readers) }, (_, at) =>
    startImporter(fleet.nodes[at % fleet.nodes.length]!.mount.target),
  );
  console.log(`${values.mounts} mounts, ${values.readers} readers, ${values.modules} modules; milliseconds`);
  let seq = 1;
  for (let version = 2; version <= 1 + Number(values.runs); version++) {
    await fleet.deploy(filesOf(version), '--at', '+5s');
    const spread = spreadOf(await flips.seen(`version ${version} of`));
    await untilAllShow(fleet, ++seq);
    contents = 0;
    const start = Date.now();
    await fleet.command('rollback', 'production', '--to', '1');
    const end = Date.now();
    const instants = await flips.seen('version 1 of', start);
    await untilAllShow(fleet, ++seq);
    const later = Math.max(...instants) - end;
    console.log(
      `at an instant: within ${spread.toFixed(0)}; rolled back: ${later.toFixed(0)} later, ${contents} requests for content`,
    );
  }
  const results = await Promise.all(readers.map(endImporter));
  const walks = results.reduce((sum, { passes }) => sum + passes, 0);
  const wrong = results.flatMap(({ problems, mixed }) => [...problems, ...mixed]);
  console.log(`${walks} walks, ${wrong.length} wrong`);
}

await withCleanup(bench);
