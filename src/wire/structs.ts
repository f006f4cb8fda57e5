/**
 * The layout of each struct of linux/fuse.h that is read or written here: `sizeof`, and the byte offset of
 * each field, under the names in linux/fuse.h. The codec and the test that compares the layout with the
 * system's linux/fuse.h both use this table. (V8 folds these constants into the compiled code.)
 */

export const fuse_in_header = {
  sizeof: 40,
  len: 0,
  opcode: 4,
  unique: 8,
  nodeid: 16,
  uid: 24,
  gid: 28,
  pid: 32,
  total_extlen: 36,
} as const;

export const fuse_out_header = { sizeof: 16, len: 0, error: 4, unique: 8 } as const;

export const fuse_attr = {
  sizeof: 88,
  ino: 0,
  size: 8,
  blocks: 16,
  atime: 24,
  mtime: 32,
  ctime: 40,
  atimensec: 48,
  mtimensec: 52,
  ctimensec: 56,
  mode: 60,
  nlink: 64,
  uid: 68,
  gid: 72,
  rdev: 76,
  blksize: 80,
  flags: 84,
} as const;

export const fuse_entry_out = {
  sizeof: 128,
  nodeid: 0,
  generation: 8,
  entry_valid: 16,
  attr_valid: 24,
  entry_valid_nsec: 32,
  attr_valid_nsec: 36,
  attr: 40,
} as const;

export const fuse_attr_out = { sizeof: 104, attr_valid: 0, attr_valid_nsec: 8, dummy: 12, attr: 16 } as const;

export const fuse_kstatfs = {
  sizeof: 80,
  blocks: 0,
  bfree: 8,
  bavail: 16,
  files: 24,
  ffree: 32,
  bsize: 40,
  namelen: 44,
  frsize: 48,
  padding: 52,
  spare: 56,
} as const;

export const fuse_init_in = {
  sizeof: 64,
  major: 0,
  minor: 4,
  max_readahead: 8,
  flags: 12,
  flags2: 16,
} as const;

export const fuse_init_out = {
  sizeof: 64,
  major: 0,
  minor: 4,
  max_readahead: 8,
  flags: 12,
  max_background: 16,
  congestion_threshold: 18,
  max_write: 20,
  time_gran: 24,
  max_pages: 28,
  map_alignment: 30,
  flags2: 32,
  max_stack_depth: 36,
  request_timeout: 40,
} as const;

/**
 * `name` is a flexible array, so `sizeof` is the size of a record without its name. Records are padded to 8
 * bytes.
 */
export const fuse_dirent = { sizeof: 24, ino: 0, off: 8, namelen: 16, type: 20, name: 24 } as const;
export const fuse_direntplus = { sizeof: 152, entry_out: 0, dirent: 128 } as const;

export const fuse_read_in = {
  sizeof: 40,
  fh: 0,
  offset: 8,
  size: 16,
  read_flags: 20,
  lock_owner: 24,
  flags: 32,
} as const;

export const fuse_forget_in = { sizeof: 8, nlookup: 0 } as const;
export const fuse_forget_one = { sizeof: 16, nodeid: 0, nlookup: 8 } as const;
export const fuse_batch_forget_in = { sizeof: 8, count: 0 } as const;
export const fuse_getattr_in = { sizeof: 16, getattr_flags: 0, fh: 8 } as const;
export const fuse_open_in = { sizeof: 8, flags: 0, open_flags: 4 } as const;
export const fuse_getxattr_in = { sizeof: 8, size: 0, padding: 4 } as const;
export const fuse_getxattr_out = { sizeof: 8, size: 0, padding: 4 } as const;
export const fuse_access_in = { sizeof: 8, mask: 0 } as const;
export const fuse_interrupt_in = { sizeof: 8, unique: 0 } as const;

export const fuse_notify_inval_inode_out = { sizeof: 24, ino: 0, off: 8, len: 16 } as const;
export const fuse_notify_inval_entry_out = { sizeof: 16, parent: 0, namelen: 8, flags: 12 } as const;
export const fuse_notify_delete_out = { sizeof: 24, parent: 0, child: 8, namelen: 16, padding: 20 } as const;
export const fuse_notify_prune_out = { sizeof: 16, count: 0, padding: 4, spare: 8 } as const;
export const fuse_notify_store_out = { sizeof: 24, nodeid: 0, offset: 8, size: 16, padding: 20 } as const;

// Requests whose bodies are not interpreted: only their size is checked.
export const fuse_setattr_in = { sizeof: 88 } as const;
export const fuse_mknod_in = { sizeof: 16 } as const;
export const fuse_mkdir_in = { sizeof: 8 } as const;
export const fuse_rename_in = { sizeof: 8 } as const;
export const fuse_rename2_in = { sizeof: 16 } as const;
export const fuse_link_in = { sizeof: 8 } as const;
export const fuse_write_in = { sizeof: 40 } as const;
export const fuse_create_in = { sizeof: 16 } as const;
export const fuse_fallocate_in = { sizeof: 32 } as const;
export const fuse_copy_file_range_in = { sizeof: 56 } as const;
export const fuse_release_in = { sizeof: 24 } as const;
export const fuse_flush_in = { sizeof: 24 } as const;
export const fuse_fsync_in = { sizeof: 16 } as const;
export const fuse_lk_in = { sizeof: 48 } as const;
export const fuse_bmap_in = { sizeof: 16 } as const;
export const fuse_ioctl_in = { sizeof: 32 } as const;
export const fuse_poll_in = { sizeof: 24 } as const;
export const fuse_lseek_in = { sizeof: 24 } as const;
export const fuse_setupmapping_in = { sizeof: 40 } as const;
export const fuse_removemapping_in = { sizeof: 4 } as const;
export const fuse_syncfs_in = { sizeof: 8 } as const;
export const fuse_statx_in = { sizeof: 24 } as const;
