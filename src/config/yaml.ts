import { createRequire } from 'node:module';
import type * as library from 'yaml';

const require = createRequire(import.meta.url);

/** Loaded only if a file is read or printed: it takes 40 ms. */
export function yaml(): typeof library {
  return require('yaml');
}
