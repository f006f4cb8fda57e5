import { copyFile } from 'node:fs/promises';
import { Places } from './places.ts';

/**
 * Records what this version keeps of a publication, for later versions to read: record-state.ts FILE. Run it once for
 * each new STATE_FORMAT, into test/state/recorded/format-<number>; recorded-formats.test.ts reads these files.
 */
const [file = ''] = process.argv.slice(2);
const endings: (() => Promise<void> | void)[] = [];
const cleanup = { after: (ending: () => Promise<void> | void) => void endings.push(ending) };
try {
  const places = await Places.make(cleanup);
  places.source.executable = ['/*.py', 'new/'];
  for (const path of ['team/a.py', 'team/deep/b.py', 'c.py']) places.source.put(path, `content of ${path}`);
  await places.publish(100);
  places.source.put('team/a.py', 'other content');
  places.source.put('new/d.py', 'new');
  await places.publish(200);
  await copyFile(places.takeover, file);
} finally {
  for (const end of endings.reverse()) await end();
}
