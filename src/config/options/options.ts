import { mountOptions } from './mount-options.ts';
import type { Option, OptionGroup } from './option.ts';
import { processOptions } from './process-options.ts';
import { publicationOptions } from './publication-options.ts';
import { releaseOptions } from './release-options.ts';
import { storeOptions } from './store-options.ts';
import { treeOptions } from './tree-options.ts';

/**
 * Every option of `mount`, declared once, in the file of its group: flags, environment, file, defaults, help, --print-config,
 * completion and the fields of MountConfig derive from this table, in this order.
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

/** The declaration of an option whose name is not known beforehand. */
export function optionOf(name: OptionName): Option<unknown> {
  return schema[name];
}

export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(schema, name);
}

/** The location of the file cannot be set in the file. */
export function isFileKey(name: string): name is OptionName {
  return isOptionName(name) && name !== 'config';
}

/** Those of these groups that are still the whole mount's. */
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

/** What turns a switch off again as a flag: `--no-x`, and for one that is called no-x, as the AWS CLI has it, `--x`. */
export function negationOf(name: OptionName): string | undefined {
  if (optionOf(name).kind.placeholder !== undefined) return undefined;
  return name.startsWith('no-') ? name.slice('no-'.length) : `no-${name}`;
}

/** The switch that says the opposite of a name that is no option: `no-standby` for `standby`, `daemon` for `no-daemon`. */
export function oppositeOf(name: string): OptionName | undefined {
  return optionNames.find((each) => negationOf(each) === name);
}
