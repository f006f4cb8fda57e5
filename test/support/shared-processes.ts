import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Folders of test/ whose files mount nothing and leave nothing in their process: they share one process a folder. To start
 * Node.js and load the same modules for each file took longer than most of these files. Node.js has this as
 * `isolation: 'none'` from 22.8 on, for all files or none.
 */
const sharing = new Set([
  'base',
  'cache',
  'cli',
  'config',
  'control',
  'csi',
  'deploy',
  'deployment-files',
  'host',
  'model',
  'release',
  'server',
  'source',
  'state',
  'store',
  'sync',
  'takeover',
  'tree',
  'views',
  'wire',
]);

/** What node's runner is to start, in the order of the first file of each. */
export interface SharedProcesses {
  readonly mains: readonly string[];
  /** The files of each main that was written for several. */
  readonly filesOf: ReadonlyMap<string, readonly string[]>;
  remove(): void;
}

export function sharedProcesses(files: Iterable<string>, tests: string): SharedProcesses {
  const groups = new Map<string, string[]>();
  for (const file of files) {
    const [folder = ''] = relative(tests, file).split('/');
    const name = sharing.has(folder) && dirname(file) !== tests ? folder : file;
    groups.set(name, [...(groups.get(name) ?? []), file]);
  }
  const directory = mkdtempSync(join(tmpdir(), 'dagmount-tests-'));
  const filesOf = new Map<string, readonly string[]>();
  const mains = [...groups].map(([name, members]) => {
    const [only] = members;
    if (members.length === 1 && only !== undefined) return only;
    const main = join(directory, `${name}.mjs`);
    writeFileSync(main, members.map((file) => `import '${pathToFileURL(file)}';\n`).join(''));
    filesOf.set(main, members);
    return main;
  });
  return { mains, filesOf, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
