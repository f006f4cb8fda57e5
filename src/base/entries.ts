/** The files of the mains that threads and processes are started from. Who starts them is told, and imports none of them. */
export interface Entries {
  readonly sessionWorker: URL;
  readonly listingWorker: URL;
  readonly fuseNativeProcess: URL;
}
