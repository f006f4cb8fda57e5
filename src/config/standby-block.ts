import type { Document, Pair } from 'yaml';
import { ConfigError } from './config-error.ts';
import type { OptionName } from './options/options.ts';
import type { Given, Origin } from './origin.ts';
import { NONE } from './standby-sources.ts';
import { yaml } from './yaml.ts';

/** The keys of one standby in the configuration file, and the option for each key. */
const KEYS = {
  source: 'standby-source',
  'endpoint-url': 'standby-endpoint-url',
  region: 'standby-region',
  profile: 'standby-profile',
} as const satisfies Readonly<Record<string, OptionName>>;

type Key = keyof typeof KEYS;

/**
 * Whether a key of the file is `standby:` with sources below it. `standby: true` is something else: the
 * opposite of the option `no-standby`.
 */
export function isStandbyBlock({ key, value }: Pair): boolean {
  const { isMap, isScalar, isSeq } = yaml();
  return isScalar(key) && key.value === 'standby' && (isSeq(value) || isMap(value));
}

/**
 * Converts `standby:`, with one source or a list of sources, to the equivalent options. Throws ConfigError `bad-value`.
 */
export function givenByStandbyBlock(
  { value }: Pair,
  document: Document,
  origin: Origin & { readonly kind: 'file' },
): ReadonlyMap<OptionName, Given> {
  const written: unknown = (value as { toJS(document: Document): unknown }).toJS(document);
  const all = (Array.isArray(written) ? written : [written]).map((each: unknown) => checked(each, origin));
  const given = new Map<OptionName, Given>();
  for (const key of Object.keys(KEYS) as Key[]) {
    if (all.some((one) => one[key] !== undefined)) {
      given.set(KEYS[key], { text: all.map((one) => one[key] ?? NONE), origin });
    }
  }
  return given;
}

function checked(
  each: unknown,
  { file, line }: Origin & { readonly kind: 'file' },
): Partial<Readonly<Record<Key, string>>> {
  const isRecord = typeof each === 'object' && each !== null && !Array.isArray(each);
  const entries = isRecord ? Object.entries(each) : [];
  const strange = entries.find(
    ([key, text]) => !Object.hasOwn(KEYS, key) || typeof text !== 'string' || text === '',
  );
  if (isRecord && strange === undefined && entries.some(([key]) => key === 'source')) {
    return Object.fromEntries(entries) as Partial<Record<Key, string>>;
  }
  const what = strange === undefined ? 'an entry without a source' : `an entry with ${strange[0]}`;
  throw new ConfigError(
    'bad-value',
    `standby has ${what} in ${file}, line ${line}.`,
    `Allowed: a list of entries with source, and perhaps ${Object.keys(KEYS).slice(1).join(', ')}.`,
  );
}
