import {
  access,
  batchForget,
  type Decoder,
  forget,
  getxattr,
  init,
  interrupt,
  listing,
  listxattr,
  lookup,
  mutating,
  opening,
  plain,
  read,
} from './decoders.ts';
import type { MalformedRequest, UnknownRequest } from './requests.ts';
import * as s from './structs.ts';

/** Everything that the codec knows about one opcode. */
export interface OpcodeRow<Kind extends string, Result extends { readonly kind: Kind }> {
  readonly opcode: number;
  /** The `kind` of the decoded request: the name in linux/fuse.h in lower case, without FUSE_. */
  readonly name: Kind;
  /** The minimum size of the body in bytes, without the header; a shorter one is malformed. */
  readonly minimumBody: number;
  /** Whether the kernel waits for a reply. If not, no reply may be sent. */
  readonly answered: boolean;
  readonly mutation: boolean;
  readonly decode: Decoder<Result>;
}

function answered<const Kind extends string, Result extends { readonly kind: Kind }>(
  opcode: number,
  name: Kind,
  minimumBody: number,
  decode: Decoder<Result>,
): OpcodeRow<Kind, Result> {
  return { opcode, name, minimumBody, answered: true, mutation: false, decode };
}

function unanswered<const Kind extends string, Result extends { readonly kind: Kind }>(
  opcode: number,
  name: Kind,
  minimumBody: number,
  decode: Decoder<Result>,
): OpcodeRow<Kind, Result> {
  return { opcode, name, minimumBody, answered: false, mutation: false, decode };
}

function mutation<const Kind extends string>(opcode: number, name: Kind, minimumBody: number) {
  return { opcode, name, minimumBody, answered: true, mutation: true, decode: mutating(name) } as const;
}

/** The minimum size of a name: one byte and its NUL. */
const NAME = 2;

/** Every opcode up to protocol 7.45. The numbers 7 and 19 were never used. */
export const OPCODES = [
  answered(1, 'lookup', NAME, lookup),
  unanswered(2, 'forget', s.fuse_forget_in.sizeof, forget),
  answered(3, 'getattr', s.fuse_getattr_in.sizeof, plain('getattr')),
  mutation(4, 'setattr', s.fuse_setattr_in.sizeof),
  answered(5, 'readlink', 0, plain('readlink')),
  mutation(6, 'symlink', 2 * NAME),
  mutation(8, 'mknod', s.fuse_mknod_in.sizeof + NAME),
  mutation(9, 'mkdir', s.fuse_mkdir_in.sizeof + NAME),
  mutation(10, 'unlink', NAME),
  mutation(11, 'rmdir', NAME),
  mutation(12, 'rename', s.fuse_rename_in.sizeof + 2 * NAME),
  mutation(13, 'link', s.fuse_link_in.sizeof + NAME),
  answered(14, 'open', s.fuse_open_in.sizeof, opening('open')),
  answered(15, 'read', s.fuse_read_in.sizeof, read),
  mutation(16, 'write', s.fuse_write_in.sizeof),
  answered(17, 'statfs', 0, plain('statfs')),
  answered(18, 'release', s.fuse_release_in.sizeof, plain('release')),
  answered(20, 'fsync', s.fuse_fsync_in.sizeof, plain('fsync')),
  mutation(21, 'setxattr', 8 + NAME), // fuse_setxattr_in has 8 bytes unless FUSE_SETXATTR_EXT was agreed on
  answered(22, 'getxattr', s.fuse_getxattr_in.sizeof + NAME, getxattr),
  answered(23, 'listxattr', s.fuse_getxattr_in.sizeof, listxattr),
  mutation(24, 'removexattr', NAME),
  answered(25, 'flush', s.fuse_flush_in.sizeof, plain('flush')),
  answered(26, 'init', 8, init),
  answered(27, 'opendir', s.fuse_open_in.sizeof, opening('opendir')),
  answered(28, 'readdir', s.fuse_read_in.sizeof, listing('readdir')),
  answered(29, 'releasedir', s.fuse_release_in.sizeof, plain('releasedir')),
  answered(30, 'fsyncdir', s.fuse_fsync_in.sizeof, plain('fsyncdir')),
  answered(31, 'getlk', s.fuse_lk_in.sizeof, plain('getlk')),
  answered(32, 'setlk', s.fuse_lk_in.sizeof, plain('setlk')),
  answered(33, 'setlkw', s.fuse_lk_in.sizeof, plain('setlkw')),
  answered(34, 'access', s.fuse_access_in.sizeof, access),
  mutation(35, 'create', s.fuse_create_in.sizeof + NAME),
  unanswered(36, 'interrupt', s.fuse_interrupt_in.sizeof, interrupt),
  answered(37, 'bmap', s.fuse_bmap_in.sizeof, plain('bmap')),
  answered(38, 'destroy', 0, plain('destroy')),
  answered(39, 'ioctl', s.fuse_ioctl_in.sizeof, plain('ioctl')),
  answered(40, 'poll', s.fuse_poll_in.sizeof, plain('poll')),
  unanswered(41, 'notify_reply', 0, plain('notify_reply')),
  unanswered(42, 'batch_forget', s.fuse_batch_forget_in.sizeof, batchForget),
  mutation(43, 'fallocate', s.fuse_fallocate_in.sizeof),
  answered(44, 'readdirplus', s.fuse_read_in.sizeof, listing('readdirplus')),
  mutation(45, 'rename2', s.fuse_rename2_in.sizeof + 2 * NAME),
  answered(46, 'lseek', s.fuse_lseek_in.sizeof, plain('lseek')),
  mutation(47, 'copy_file_range', s.fuse_copy_file_range_in.sizeof),
  answered(48, 'setupmapping', s.fuse_setupmapping_in.sizeof, plain('setupmapping')),
  answered(49, 'removemapping', s.fuse_removemapping_in.sizeof, plain('removemapping')),
  answered(50, 'syncfs', s.fuse_syncfs_in.sizeof, plain('syncfs')),
  mutation(51, 'tmpfile', s.fuse_create_in.sizeof),
  answered(52, 'statx', s.fuse_statx_in.sizeof, plain('statx')),
  mutation(53, 'copy_file_range_64', s.fuse_copy_file_range_in.sizeof),
] as const;

type Row = (typeof OPCODES)[number];

/** A request whose opcode is in the table; its `kind` is the opcode's name. */
export type KnownRequest = Exclude<ReturnType<Row['decode']>, string>;
/**
 * The result of decodeRequest: a known request, or an unknown or malformed one, which says whether it is
 * `answerable`.
 */
export type Request = KnownRequest | MalformedRequest | UnknownRequest;
export type RequestKind = Request['kind'];
/** The type of one kind of request, such as RequestOf<'lookup'>. */
export type RequestOf<Kind extends RequestKind> = Extract<Request, { readonly kind: Kind }>;

/** The rows of the table, indexed by opcode. */
export const ROW_OF_OPCODE: readonly (Row | undefined)[] = OPCODES.reduce<(Row | undefined)[]>(
  (rows, row) => {
    rows[row.opcode] = row;
    return rows;
  },
  new Array<Row | undefined>(OPCODES[OPCODES.length - 1]!.opcode + 1).fill(undefined),
);

/** The name of an opcode, or `opcode 99` if it is not in the table; for logs and counters. */
export function opcodeName(opcode: number): string {
  return ROW_OF_OPCODE[opcode]?.name ?? `opcode ${opcode}`;
}
