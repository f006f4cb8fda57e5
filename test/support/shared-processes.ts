import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Folders of test/ whose files mount nothing and leave nothing in their process: the files of a folder share one
 * process. Starting Node.js and loading the same modules for each file took longer than most of these files. From 22.8
 * on Node.js can do this (`isolation: 'none'`), but only for all files or none.
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

/** The files that node's runner starts, in the order of the first test file of each. */
export interface SharedProcesses {
  readonly mains: readonly string[];
  /** The test files of each main that serves several of them. */
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
