import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './repository.ts';

/** Kubernetes' own tests of CSI drivers; undefined if scripts/test has not built them. */
export function csiSanityProgram(): string | undefined {
  const path = join(repository, '.tools/csi-sanity/csi-sanity');
  return existsSync(path) ? path : undefined;
}
