#!/usr/bin/env node
// Must be the first import. From here on, SIGUSR1 opens no debugger in this process.
import '../host/no-debugger.ts';

import { loadServer } from './load-server.ts';
import { runMain } from './run-main.ts';

await runMain(loadServer);
