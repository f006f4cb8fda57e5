import { printableName } from '../../base/printable.ts';
import { ConfigError } from '../../config/config-error.ts';
import type { ControlClient } from '../../control/client.ts';
import { ClientError } from '../../control/client-error.ts';
import { absenceCodes, type Entry } from '../../control/shapes/entries.ts';
import type { ProblemDetails, Status } from '../../control/shapes/status.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatAgo, formatCount, formatSize, plural } from '../format.ts';
import type { Paints } from '../paint.ts';
import { clientCommand } from './client-command.ts';
import { releaseLine } from './release-text.ts';
import { belowPrefix, locateOne } from './tree-path.ts';

const LABEL_WIDTH = 'last modified  '.length;

/**
 * What the daemon answers about a path: the tree's entry, or a problem document that says why there is no
 * entry.
 */
type Explained = Entry | ProblemDetails;

export const run = clientCommand<Explained>({
  name: 'why',
  arguments: 1,
  check: ({ positionals }) => {
    if (positionals[0] === undefined) {
      throw new ConfigError('usage', 'The path is missing.', 'See dagmount help why.');
    }
  },
  isOfTree: true,
  ask: async (asked, { positionals: [given = ''] }) => {
    const { client, path, version } = await locateOne(asked, given);
    if (path === '') {
      throw new ConfigError(
        'usage',
        'The path names the whole tree, which is not a key.',
        'See dagmount status for it.',
      );
    }
    const explained = await explain(client, path, version);
    if (version !== undefined || !isAbsent(explained) || explained.code !== 'never-seen') return explained;
    // The user may have given a complete key, as `dagmount problems` shows it. A key is longer than the path
    // of the file, by the prefix, so the command asks once more without the prefix.
    const { mount } = await client.ask<Status>('/v1/status');
    const below = belowPrefix(mount, path);
    if (below === undefined) return explained;
    const other = await explain(client, below);
    return isAbsent(other) && other.code === 'never-seen' ? explained : other;
  },
  show: (explained, { paints, now, given }) =>
    isAbsent(explained)
      ? absenceText(explained, given.positionals[0] ?? '', paints)
      : entryText(explained, paints, now),
  exitCode: (explained) => (isAbsent(explained) ? exitCodes.noInput : exitCodes.ok),
});

async function explain(client: ControlClient, path: string, version?: string): Promise<Explained> {
  try {
    return await client.ask<Entry>(`/v1/entries/${encodeURIComponent(path)}`, { query: { version } });
  } catch (error) {
    if (error instanceof ClientError && error.problem !== undefined && isAbsent(error.problem)) {
      return error.problem;
    }
    throw error;
  }
}

function isAbsent(explained: Explained): explained is ProblemDetails {
  return 'code' in explained && (absenceCodes as readonly unknown[]).includes(explained.code);
}

function absenceText({ code, detail, hint }: ProblemDetails, given: string, paints: Paints): string {
  const next = hint === undefined ? '' : `${hint}\n`;
  return `${paints.yellow(`Not in the tree (${code}): ${printableName(given)}`)}\n${detail}\n${next}`;
}

function entryText(entry: Entry, paints: Paints, now: number): string {
  const { path, kind, key, size, etag, versionId, lastModified, mtime, generation, firstVisible } = entry;
  const isFile = kind === 'file';
  const first = firstVisible.generation;
  const rows: (readonly [label: string, text: string] | undefined)[] = [
    ['path', `${path === '' ? '(the root)' : path}, a ${kind}`],
    key === null ? undefined : ['key', keyText(key, entry.range)],
    entry.version === undefined ? undefined : ['version', entry.version],
    isFile
      ? ['size', size < 1024 ? formatSize(size) : `${formatSize(size)} (${formatCount(size)} bytes)`]
      : undefined,
    etag === null ? undefined : ['etag', etag],
    versionId === null ? undefined : ['version id', versionId],
    lastModified === null ? undefined : ['last modified', `${timeText(lastModified, now)}, says the store`],
    entry.version !== undefined
      ? undefined
      : [
          'visible since',
          `${timeText(firstVisible.at, now)}, ${
            first === null
              ? 'in a generation that is no longer kept'
              : `with generation ${first.number} ${first.id}`
          }`,
        ],
    first?.release === undefined ? undefined : ['released by', releaseLine(first.release)],
    entry.version === undefined
      ? ['generation', `${generation.number} ${generation.id} shows it`]
      : undefined,
    ['mtime', timeText(mtime, now)],
    entry.executable === true ? ['executable', 'yes, by --executable or by the release'] : undefined,
    isFile ? ['cached', cachedText(entry, paints)] : undefined,
    ['pinned', entry.pinned ? 'yes' : 'no'],
    ['node ids', nodeIdsText(entry)],
    ...entry.problems.map(
      ({ reason, detail }) => ['problem', paints.yellow(`${reason}: ${detail}`)] as const,
    ),
  ];
  return rows
    .flatMap((row) => (row === undefined ? [] : [`${paints.bold(row[0].padEnd(LABEL_WIDTH))}${row[1]}\n`]))
    .join('');
}

function keyText(key: string, range: Entry['range']): string {
  if (range === undefined) return key;
  const { offset, bytes } = range;
  return `${key}, bytes ${offset} to ${offset + bytes - 1} of the pack`;
}

function cachedText({ cached, cachedBytes, size, checksum }: Entry, paints: Paints): string {
  if (cached === true) {
    return paints.green('yes') + (checksum === null ? '' : `, ${checksum.algorithm} ${checksum.value}`);
  }
  return cachedBytes === 0
    ? paints.yellow('no: it is fetched when it is read')
    : paints.yellow(`in part: ${formatSize(cachedBytes)} of ${formatSize(size)}`);
}

function nodeIdsText({ nodeIds: { current, replaced } }: Entry): string {
  if (replaced.length === 0) return String(current);
  return `${current}; the kernel still holds ${plural(replaced.length, 'replaced version')}: ${replaced.join(', ')}`;
}

function timeText(time: string, now: number): string {
  return `${time}, ${formatAgo(Date.parse(time), now)}`;
}
