import { ConfigError } from './config-error.ts';
import type { OptionName } from './options/options.ts';
import { nameAtOrigin } from './origin.ts';
import type { ResolvedOption } from './resolve.ts';

/** Options that apply to releases alone. */
const NEEDS_REF = ['allowed-signers', 'min-seq', 'release-root'] as const satisfies readonly OptionName[];

/** Options about the versions that a mount shows beside its current tree. */
const OF_VERSIONS = ['versions', 'keep-versions', 'version-idle'] as const satisfies readonly OptionName[];

/** Options that would show another tree than the one that was released and signed. */
const WITHOUT_REF = [
  'include',
  'exclude',
  'executable',
  'watch-key',
] as const satisfies readonly OptionName[];

/**
 * Rejects options that contradict each other, or would have no effect although the user expects one. Throws
 * ConfigError.
 */
export function rejectContradictions(options: readonly ResolvedOption[]): void {
  const given = new Map(
    options.filter(({ origin }) => origin.kind !== 'default').map((option) => [option.name, option]),
  );
  const named = ({ name, origin }: ResolvedOption): string => nameAtOrigin(name, origin);
  requireBoth(given, named);
  const ref = given.get('ref');
  for (const name of ref === undefined ? OF_VERSIONS : []) {
    const option = given.get(name);
    if (option === undefined || option.value === false) continue;
    throw new ConfigError(
      'bad-value',
      `${named(option)} cannot be used without --ref: nodes poll a plain prefix at different instants, so no version of it is one that every node can have.`,
      'Deploy releases (dagmount help deploy) and name the environment by --ref ENV, or leave the option out.',
    );
  }
  for (const name of ref === undefined ? NEEDS_REF : WITHOUT_REF) {
    const option = given.get(name);
    if (option === undefined || (Array.isArray(option.value) && option.value.length === 0)) continue;
    throw ref === undefined
      ? new ConfigError(
          'bad-value',
          `${named(option)} has no meaning without --ref: the objects of a plain prefix have no signatures and no numbers.`,
          'Name the environment by --ref ENV, or leave the option out.',
        )
      : new ConfigError(
          'bad-value',
          `${named(option)} cannot be used with ${named(ref)}: a release is shown as it was deployed, or not at all.`,
          'Leave the option out; choose the files of a release when it is deployed (exclude in dagmount.yaml).',
        );
  }
}

/** Requires --webhook-listen and --webhook-secret-file together: a port without a secret would accept any client. */
function requireBoth(
  given: ReadonlyMap<string, ResolvedOption>,
  named: (option: ResolvedOption) => string,
): void {
  const [listen, secret] = [given.get('webhook-listen'), given.get('webhook-secret-file')];
  if ((listen === undefined) === (secret === undefined)) return;
  const [one, other] =
    listen === undefined ? [secret!, '--webhook-listen'] : [listen, '--webhook-secret-file'];
  throw new ConfigError(
    'bad-value',
    `${named(one)} cannot be used without ${other}: a webhook takes only requests that prove to know a secret.`,
    `Give ${other} too, or leave both out.`,
  );
}
