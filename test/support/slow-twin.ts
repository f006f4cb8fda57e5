import { test } from 'node:test';

const isLong = process.env.DAGMOUNT_TEST_LONG !== undefined;
const nothing = (): void => undefined;

/**
 * A test through a mount whose promise a quicker one shows too: it runs only with --long.
 *
 * @param _twin the quicker one, as FILE: NAME; test/structure/slow-twins.test.ts holds that it is there
 */
export function slowTwin(_twin: `${string}.test.ts: ${string}`): typeof test {
  return isLong ? test : (nothing as unknown as typeof test);
}
