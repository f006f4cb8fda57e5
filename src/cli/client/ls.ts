import { printableName } from '../../base/printable.ts';
import type { ControlClient } from '../../control/client.ts';
import type { Entries, EntryItem } from '../../control/shapes/entries.ts';
import { CommandError } from '../command-error.ts';
import { formatSize } from '../format.ts';
import type { Paints } from '../paint.ts';
import { clientCommand } from './client-command.ts';
import { releaseLine } from './release-text.ts';
import { locate } from './tree-path.ts';

export const run = clientCommand<Entries>({
  name: 'ls',
  arguments: 1,
  isOfTree: true,
  ask: async (client, { positionals: [given = ''] }) => {
    const places = await locate(client, given);
    const items: EntryItem[] = [];
    const releases: Entries['release'][] = [];
    for (const { client: asked, path, version, tree } of places) {
      const found = await entriesAt(asked, path, version);
      for (const item of found.items) items.push(client.tree === undefined ? inMount(item, tree) : item);
      releases.push(found.release);
    }
    // Leaves out the release if the list covers several trees, because each tree may show a release of its
    // own.
    const [release] = places.length === 1 ? releases : [];
    if (items.length > 0 || places.some(({ path }) => path === ''))
      return { items, next: null, ...(release !== undefined && { release }) };
    const [{ path, version }] = places.length === 1 ? [places[0]!] : [{ path: given, version: undefined }];
    throw new CommandError(
      'no-entry',
      `There is no ${printableName(path)} in the ${version === undefined ? 'tree' : 'version'}.`,
      'dagmount why says why; a path begins below the prefix, or at the mount point.',
    );
  },
  show: ({ items, release }, { paints }) =>
    `${release === undefined ? '' : `${releaseLine(release)}\n`}${entriesText(items, paints)}`,
});

/** Returns the item with its path below the mount point, instead of its path in the tree. */
function inMount(item: EntryItem, tree: string): EntryItem {
  return tree === '' ? item : { ...item, path: `${tree}/${item.path}` };
}

/** Lists everything below a directory, or one file; for an empty directory, the directory itself. */
async function entriesAt(client: ControlClient, path: string, version?: string): Promise<Entries> {
  const items: EntryItem[] = [];
  const prefix = path === '' ? undefined : `${path}/`;
  let release: Entries['release'];
  for await (const page of client.pages<Entries>('/v1/entries', { prefix, version })) {
    for (const item of page.items) items.push(item);
    release = page.release;
  }
  const by = release === undefined ? {} : { release };
  if (items.length > 0 || path === '') return { items, next: null, ...by };
  const { items: beginning } = await client.ask<Entries>('/v1/entries', {
    query: { prefix: path, version, limit: '1' },
  });
  return { items: beginning.filter((item) => item.path === path), next: null, ...by };
}

function entriesText(items: readonly EntryItem[], paints: Paints): string {
  const sizes = items.map(({ kind, size }) => (kind === 'file' ? formatSize(size) : ''));
  const widest = sizes.reduce((most, { length }) => Math.max(most, length), 'SIZE'.length);
  const header = paints.bold(`${'SIZE'.padStart(widest)}  ${'MODIFIED'.padEnd(24)}  CACHED  PATH`);
  const lines = items.map(({ path, kind, mtime, executable, cached }, at) => {
    const size = (sizes[at] ?? '').padStart(widest);
    // Marks directories and executable files as `ls -F` does.
    const mark = kind === 'directory' ? '/' : executable === true ? '*' : '';
    const name = `${path}${mark}`;
    const local = (cached === null ? '' : cached ? 'yes' : 'no').padEnd('CACHED'.length);
    return `${size}  ${mtime.padEnd(24)}  ${cached === false ? paints.yellow(local) : local}  ${name}\n`;
  });
  return `${header}\n${lines.join('')}`;
}
