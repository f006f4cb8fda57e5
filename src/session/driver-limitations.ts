/**
 * The promises that fuse-native keeps only in part, by their numbers in docs/semantics.md, which explains
 * each.
 */
export const FUSE_NATIVE_LIMITATIONS: readonly string[] = [
  '1: mapped memory and fstat of an open file can show the new version',
  '6: a restart mounts anew, and what is open then fails',
];
