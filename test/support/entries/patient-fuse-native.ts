import '../../../src/host/no-debugger.ts';
import { serveFuseNative } from '../../../src/entry/serve-fuse-native.ts';

/** The process of fuse-native with times that differ from the product's: TEST_ALONE_MS and TEST_CACHE_SECONDS. */
await serveFuseNative({
  aloneMs: Number(process.env.TEST_ALONE_MS ?? 60_000),
  cacheSeconds: process.env.TEST_CACHE_SECONDS ?? '0',
});
