import { test } from 'node:test';

const isLong = process.env.DAGMOUNT_TEST_LONG !== undefined;
const nothing = (): void => undefined;

/**
 * Declares a test through a mount for a promise that a quicker test shows too: it runs only with --long.
 *
 * @param _twin the quicker test, as FILE: NAME; test/structure/slow-twins.test.ts checks that it exists
 */
export function slowTwin(_twin: `${string}.test.ts: ${string}`): typeof test {
  return isLong ? test : (nothing as unknown as typeof test);
}
