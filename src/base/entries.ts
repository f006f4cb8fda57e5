/** The files of the mains of threads and processes. What starts one is given its URL, and does not import src/entry. */
export interface Entries {
  readonly sessionWorker: URL;
  readonly sourceWorker: URL;
  readonly fuseNativeProcess: URL;
}
