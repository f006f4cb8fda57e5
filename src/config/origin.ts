import type { OptionName } from './options/options.ts';

/** Where a value came from. */
export type Origin =
  | { readonly kind: 'flag'; readonly flag: string }
  | { readonly kind: 'environment'; readonly variable: string }
  | { readonly kind: 'file'; readonly file: string; readonly line: number }
  | { readonly kind: 'default'; readonly source: string | undefined };

/** A value as it was written in one place. */
export interface Given {
  readonly text: string | readonly string[];
  readonly origin: Origin;
}

export type GivenOptions = ReadonlyMap<OptionName, Given>;

/**
 * Formats an origin: `flag --region`, `environment DAGMOUNT_REGION`, `file /etc/dagmount.yaml, line 3`,
 * `default`.
 */
export function describeOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'flag':
      return `flag ${origin.flag}`;
    case 'environment':
      return `environment ${origin.variable}`;
    case 'file':
      return `file ${origin.file}, line ${origin.line}`;
    case 'default':
      return origin.source === undefined ? 'default' : `default, from ${origin.source}`;
    default:
      throw new Error(`unknown origin: ${JSON.stringify(origin satisfies never)}`);
  }
}

/** Returns the name of an option as the user wrote it at the origin, to begin a sentence about the option. */
export function nameAtOrigin(name: OptionName, origin: Origin): string {
  switch (origin.kind) {
    case 'flag':
      return origin.flag;
    case 'environment':
      return origin.variable;
    case 'file':
      return `${name} (${origin.file}, line ${origin.line})`;
    case 'default':
      return origin.source ?? `The default of ${name}`;
    default:
      throw new Error(`unknown origin: ${JSON.stringify(origin satisfies never)}`);
  }
}
