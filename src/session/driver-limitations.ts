/** What fuse-native provides only in part, by the numbers of docs/semantics.md, which explains it. */
export const FUSE_NATIVE_WEAKNESSES: readonly string[] = [
  '1: mapped memory and fstat of an open file can show the new version',
  '6: a restart mounts anew, and what is open then fails',
];
