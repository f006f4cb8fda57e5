import type { Document, Pair } from 'yaml';
import { ConfigError } from './config-error.ts';
import { readNamedFile } from './named-file.ts';
import { nearest, oppositeValue } from './nearest.ts';
import { isFileKey, type OptionName, oppositeOf, optionNames, optionOf } from './options/options.ts';
import type { Given, GivenOptions, Origin } from './origin.ts';
import { givenByStandbyBlock, isStandbyBlock } from './standby-block.ts';
import { type GivenTree, givenTrees, type Places, TREE_KEYS, TREES_KEY } from './trees-in-file.ts';
import { yaml } from './yaml.ts';

/** The content of a configuration file. */
export interface GivenFile {
  readonly options: GivenOptions;
  /** The trees in the order of the file; empty if the file has no `trees`. */
  readonly trees: readonly GivenTree[];
}

/**
 * Reads the YAML file at an absolute path. Throws ConfigError `unreadable-file`, `unparsable-file`,
 * `unknown-key` or `bad-value`.
 */
export function givenByFile(file: string): GivenFile {
  const hint = 'Check the path that --config or DAGMOUNT_CONFIG names, and its permissions.';
  return givenByYaml(readNamedFile(file, 'The configuration file', hint), file);
}

/** Parses the text of a configuration file. `file` is the name of the file for error messages. */
export function givenByYaml(text: string, file: string): GivenFile {
  const { isMap, LineCounter, parseDocument } = yaml();
  const lines = new LineCounter();
  // Keeps all scalars as written, because a umask of 0222 is no decimal number, and a region called no is no
  // boolean.
  const document = parseDocument(text, { schema: 'failsafe', lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    throw unparsable(file, lines.linePos(error.pos[0]).line, lowerFirst(firstLine(error.message)), error);
  }
  if (document.contents === null || isEmpty(document.contents)) return { options: new Map(), trees: [] };
  if (!isMap(document.contents)) throw unparsable(file, 1, 'it is not a mapping of options to values');
  const places: Places = { file, document, lineOf: (node) => lines.linePos(startOf(node)).line };
  const [trees, options] = parted(document.contents.items, ({ key }) => nameOf(key) === TREES_KEY);
  return {
    options: optionsOf(options, places, [TREES_KEY]),
    trees: trees.flatMap((pair) => givenTrees(pair, places, (items) => optionsOf(items, places, TREE_KEYS))),
  };
}

/**
 * Returns the options that the items set. `others` are the further keys that are allowed in this place, for
 * the error about a misspelt key.
 */
function optionsOf(
  items: readonly Pair[],
  { file, document, lineOf }: Places,
  others: readonly string[],
): GivenOptions {
  const given = new Map<OptionName, Given>();
  for (const pair of items) {
    const line = lineOf(pair.key);
    if (isStandbyBlock(pair)) {
      for (const [name, one] of givenByStandbyBlock(pair, document, { kind: 'file', file, line }))
        given.set(name, one);
      continue;
    }
    const name = optionNamed(pair, file, line, others);
    const origin = { kind: 'file', file, line } as const;
    given.set(name, { text: textOf(pair, document, name, origin), origin });
  }
  return given;
}

function parted<T>(items: readonly T[], is: (item: T) => boolean): [readonly T[], readonly T[]] {
  return [items.filter(is), items.filter((item) => !is(item))];
}

function nameOf(key: unknown): string | undefined {
  return yaml().isScalar(key) ? String(key.value) : undefined;
}

function optionNamed(
  { key, value }: Pair,
  file: string,
  line: number,
  others: readonly string[],
): OptionName {
  const { isScalar } = yaml();
  const name = nameOf(key) ?? 'a key that is no text';
  if (isFileKey(name)) return name;
  const keys = [...others, ...optionNames.filter(isFileKey)];
  const meant = nearest(name, keys);
  const opposite = oppositeOf(name);
  if (opposite !== undefined) {
    const written = oppositeValue(isScalar(value) ? String(value.value) : '');
    throw new ConfigError(
      'unknown-key',
      `${file}, line ${line}, sets ${name}, and dagmount has no such option.`,
      `It has the opposite: write "${opposite}: ${written}" in its place.`,
    );
  }
  const cut = name === 'config' ? 'a file cannot name another' : 'dagmount has no such option';
  throw new ConfigError(
    'unknown-key',
    `${file}, line ${line}, sets ${name}, and ${cut}.`,
    meant === undefined
      ? 'Remove the line; dagmount help mount lists all options.'
      : `Did you mean ${meant}? Otherwise take it out.`,
  );
}

function textOf(
  pair: Pair,
  document: Document,
  name: OptionName,
  origin: Origin & { readonly kind: 'file' },
): string | readonly string[] {
  const { kind } = optionOf(name);
  const value = pair.value as { toJS?(document: Document): unknown } | null;
  let written: unknown;
  try {
    written = value?.toJS?.(document) ?? '';
  } catch (error) {
    // An asterisk begins an alias in YAML, which only toJS resolves.
    if (!(error instanceof ReferenceError)) throw error;
    throw unparsable(
      origin.file,
      origin.line,
      `${name} has a value that begins with an asterisk: put it into quotes`,
      error,
    );
  }
  if (typeof written === 'string' && written !== '') return kind.isList ? [written] : written;
  if (kind.isList && Array.isArray(written) && written.every((each) => typeof each === 'string')) {
    return written;
  }
  const found = written === '' ? 'no value' : Array.isArray(written) ? 'a list' : 'a mapping';
  const allowed = kind.isList ? `a list of ${kind.allowed}` : kind.allowed;
  throw new ConfigError(
    'bad-value',
    `${name} has ${found} in ${origin.file}, line ${origin.line}.`,
    `Allowed: ${allowed}.`,
  );
}

function unparsable(file: string, line: number, reason: string, cause?: unknown): ConfigError {
  return new ConfigError(
    'unparsable-file',
    `The configuration file ${file} is no valid YAML at line ${line}: ${reason}.`,
    'It holds one option a line, as in "poll-interval: 10s".',
    cause,
  );
}

/** Whether the file has no content. A file that has only comments has an empty scalar as its content. */
function isEmpty(contents: unknown): boolean {
  return yaml().isScalar(contents) && (contents.value === '' || contents.value === null);
}

function startOf(node: unknown): number {
  const range = (node as { readonly range?: readonly number[] | null } | null)?.range;
  return range?.[0] ?? 0;
}

function firstLine(message: string): string {
  return (message.split('\n', 1)[0] ?? '').replace(/[.:]$/, '');
}

function lowerFirst(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
