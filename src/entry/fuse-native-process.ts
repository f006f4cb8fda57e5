// Must come first: from here on SIGUSR1 opens no debugger in this process.
import '../host/no-debugger.ts';

import { CACHE_SECONDS } from '../session/fuse-native/mount-options.ts';
import { serveFuseNative } from './serve-fuse-native.ts';

/** How long this process serves readers without a server, in milliseconds. */
const ALONE_MS = 60_000;

/** The process in which libfuse 2 answers the kernel. */
await serveFuseNative({ aloneMs: ALONE_MS, cacheSeconds: CACHE_SECONDS });
