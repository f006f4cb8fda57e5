import { createRequire } from 'node:module';
import type * as library from 'yaml';

const require = createRequire(import.meta.url);

/** Loads the YAML library only when a file is read or printed, because loading it takes 40 ms. */
export function yaml(): typeof library {
  return require('yaml');
}
