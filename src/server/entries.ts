import type { Entries } from '../base/entries.ts';

export const entries: Entries = {
  sessionWorker: new URL('../entry/session-worker.js', import.meta.url),
  sourceWorker: new URL('../entry/source-worker.js', import.meta.url),
  fuseNativeProcess: new URL('../entry/fuse-native-process.js', import.meta.url),
};
