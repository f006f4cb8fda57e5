/** The entry files of threads and processes. Code that starts one receives its URL, and does not import src/entry. */
export interface Entries {
  readonly sessionWorker: URL;
  readonly sourceWorker: URL;
  readonly fuseNativeProcess: URL;
}
