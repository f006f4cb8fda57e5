import type { Document, Pair } from 'yaml';
import { ConfigError } from './config-error.ts';
import { isTreeOption } from './options/options.ts';
import type { GivenOptions } from './origin.ts';
import { yaml } from './yaml.ts';

/** The key of a configuration file that contains the trees of a mount. */
export const TREES_KEY = 'trees';
/** The keys of a tree that are not options. */
export const TREE_KEYS: readonly string[] = ['path', 'source'];
const EXAMPLE =
  'Each item has a path, a source and options: "- {path: team-a, source: s3://BUCKET/PREFIX, max-delete: 30%}".';

/** A tree, as it is written in the file. */
export interface GivenTree {
  readonly path: string;
  /** The s3:// address. */
  readonly source: string;
  readonly options: GivenOptions;
  readonly file: string;
  readonly line: number;
}

/** A parsed file, and the line of each of its YAML nodes. */
export interface Places {
  readonly file: string;
  readonly document: Document;
  readonly lineOf: (node: unknown) => number;
}

/** Reads the trees below the key `trees`. Throws ConfigError if one of them is invalid. */
export function givenTrees(
  { key, value }: Pair,
  places: Places,
  optionsOf: (items: readonly Pair[]) => GivenOptions,
): readonly GivenTree[] {
  const { isMap, isSeq } = yaml();
  const { file, lineOf } = places;
  if (!isSeq(value) || value.items.length === 0)
    throw refused(file, lineOf(key), 'trees is not a list of trees');
  return value.items.map((item) => {
    const line = isMap(item) ? lineOf(item.items[0]?.key) : lineOf(key);
    if (!isMap(item)) throw refused(file, line, 'trees has an item that is no tree');
    const own = (name: string): string => {
      const text = textOf(item.items.find((pair) => nameOf(pair) === name));
      if (text === undefined) throw refused(file, line, `a tree has no ${name}`);
      return text;
    };
    const others = item.items.filter((pair) => !TREE_KEYS.some((key) => key === nameOf(pair)));
    const options = optionsOf(others);
    for (const [name, { origin }] of options) {
      if (!isTreeOption(name)) {
        throw refused(
          file,
          origin.kind === 'file' ? origin.line : line,
          `a tree sets ${name}, which is of the whole mount`,
          'Set it beside trees, not in one of them.',
        );
      }
    }
    return { path: own('path'), source: own('source'), options, file, line };
  });
}

function nameOf({ key }: Pair): string | undefined {
  const { isScalar } = yaml();
  return isScalar(key) ? String(key.value) : undefined;
}

function textOf(pair: Pair | undefined): string | undefined {
  const { isScalar } = yaml();
  const text = isScalar(pair?.value) ? String(pair.value.value ?? '') : '';
  return text === '' ? undefined : text;
}

function refused(file: string, line: number, reason: string, hint = EXAMPLE): ConfigError {
  return new ConfigError('bad-value', `In ${file}, line ${line}, ${reason}.`, hint);
}
