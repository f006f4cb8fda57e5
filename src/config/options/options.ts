import { mountOptions } from './mount-options.ts';
import type { Option, OptionGroup } from './option.ts';
import { processOptions } from './process-options.ts';
import { publicationOptions } from './publication-options.ts';
import { releaseOptions } from './release-options.ts';
import { storeOptions } from './store-options.ts';
import { treeOptions } from './tree-options.ts';

/**
 * Every option of `mount`, declared once, in the file of its group: flags, environment, file, defaults, help,
 * --print-config, completion and the fields of MountConfig derive from this table, in this order.
 */
export const schema = {
  ...storeOptions,
  ...releaseOptions,
  ...publicationOptions,
  ...treeOptions,
  ...mountOptions,
  ...processOptions,
} as const;

export type OptionName = keyof typeof schema;

export type OptionValues = {
  readonly [Name in OptionName]: (typeof schema)[Name] extends Option<infer T> ? T : never;
};

export const optionNames = Object.keys(schema) as readonly OptionName[];

/** Returns the declaration of an option whose name the compiler does not know. */
export function optionOf(name: OptionName): Option<unknown> {
  return schema[name];
}

export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(schema, name);
}

/**
 * Whether the configuration file may set the option: every option except `config`, the location of that file.
 */
export function isFileKey(name: string): name is OptionName {
  return isOptionName(name) && name !== 'config';
}

/** Options in the groups of OF_TREES that nevertheless belong to the whole mount. */
const OF_MOUNT: ReadonlySet<OptionName> = new Set([
  'state-dir',
  'versions',
  'keep-versions',
  'version-idle',
  'cache-dir',
  'webhook-listen',
  'webhook-secret-file',
]);
const OF_TREES: ReadonlySet<OptionGroup> = new Set(['store', 'release', 'publication', 'tree', 'cache']);

/** Whether each of several trees of a mount may have a value of its own. */
export function isTreeOption(name: OptionName): boolean {
  return OF_TREES.has(optionOf(name).group) && !OF_MOUNT.has(name);
}

export function variableOf(name: string): string {
  return `DAGMOUNT_${name.replaceAll('-', '_').toUpperCase()}`;
}

/**
 * Returns the flag that turns a switch off: `--no-x`, or `--x` for a switch that is called no-x, as in the
 * AWS CLI. Returns undefined for an option that is no switch.
 */
export function negationOf(name: OptionName): string | undefined {
  if (optionOf(name).kind.placeholder !== undefined) return undefined;
  return name.startsWith('no-') ? name.slice('no-'.length) : `no-${name}`;
}

/** Returns the switch whose negation has this name: `no-standby` for `standby`, `daemon` for `no-daemon`. */
export function oppositeOf(name: string): OptionName | undefined {
  return optionNames.find((each) => negationOf(each) === name);
}
