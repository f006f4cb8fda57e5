import type { Status } from '../control/shapes/status.ts';
import type { RootAttribute } from '../session/root-attributes.ts';

type ShownStatus = Pick<Status, 'ready'> & {
  readonly source: Pick<Status['source'], 'stalenessSeconds'>;
  readonly release: Pick<NonNullable<Status['release']>, 'id' | 'seq'> | null;
};

/**
 * Returns the value of an extended attribute of the root, as `status` has it; undefined if `status` has none.
 */
export function rootAttribute(
  { ready, source, release }: ShownStatus,
  attribute: RootAttribute,
): string | undefined {
  switch (attribute) {
    case 'release':
      return release?.id;
    case 'seq':
      return release?.seq.toString();
    case 'staleness':
      return source.stalenessSeconds?.toString();
    case 'ready':
      return String(ready);
    default:
      return attribute satisfies never;
  }
}
