"""The structs of linux/fuse.h for capture.py: packed, and unpacked into lines of 8 bytes that say what they are."""
import struct

# name:format of each field, as in linux/fuse.h
ATTR = ('ino:Q size:Q blocks:Q atime:Q mtime:Q ctime:Q atimensec:I mtimensec:I ctimensec:I mode:I nlink:I uid:I '
        'gid:I rdev:I blksize:I flags:I')
STRUCTS = {
    'in_header': 'len:I opcode:I unique:Q nodeid:Q uid:I gid:I pid:I total_extlen:H padding:H',
    'out_header': 'len:I error:i unique:Q',
    'entry_out': 'nodeid:Q generation:Q entry_valid:Q attr_valid:Q entry_valid_nsec:I attr_valid_nsec:I ' + ATTR,
    'attr_out': 'attr_valid:Q attr_valid_nsec:I dummy:I ' + ATTR,
    'dirent': 'ino:Q off:Q namelen:I type:I',
    'statfs_out': 'blocks:Q bfree:Q bavail:Q files:Q ffree:Q bsize:I namelen:I frsize:I padding:I '
                  'spare0:I spare1:I spare2:I spare3:I spare4:I spare5:I',
    'getxattr_out': 'size:I padding:I',
    'open_out': 'fh:Q open_flags:I padding:I',
    'init_out': 'major:I minor:I max_readahead:I flags:I max_background:H congestion_threshold:H max_write:I '
                'time_gran:I max_pages:H map_alignment:H flags2:I max_stack_depth:I request_timeout:H unused0:H '
                'unused1:I unused2:I unused3:I unused4:I unused5:I',
    'inval_entry': 'parent:Q namelen:I flags:I',
    'inval_inode': 'ino:Q off:q len:q',
    'delete': 'parent:Q child:Q namelen:I padding:I',
    'store': 'nodeid:Q offset:Q size:I padding:I',
}
READ = 'fh:Q offset:Q size:I read_flags:I lock_owner:Q flags:I padding:I'
RELEASE = 'fh:Q flags:I release_flags:I lock_owner:Q'
FSYNC = 'fh:Q fsync_flags:I padding:I'
LK = 'fh:Q owner:Q start:Q end:Q type:I pid:I lk_flags:I padding:I'
COPY = 'fh_in:Q off_in:Q nodeid_out:Q fh_out:Q off_out:Q len:Q flags:Q'
CREATE = 'flags:I mode:I umask:I open_flags:I'
XATTR = 'size:I padding:I'
# opcode: name, struct of its body, what follows it
REQUESTS = {
    1: ('lookup', '', 1), 2: ('forget', 'nlookup:Q', 0), 3: ('getattr', 'getattr_flags:I dummy:I fh:Q', 0),
    4: ('setattr', 'valid:I padding:I fh:Q size:Q lock_owner:Q atime:Q mtime:Q ctime:Q atimensec:I mtimensec:I '
        'ctimensec:I mode:I unused4:I uid:I gid:I unused5:I', 0),
    5: ('readlink', '', 0), 6: ('symlink', '', 2), 8: ('mknod', 'mode:I rdev:I umask:I padding:I', 1),
    9: ('mkdir', 'mode:I umask:I', 1), 10: ('unlink', '', 1), 11: ('rmdir', '', 1), 12: ('rename', 'newdir:Q', 2),
    13: ('link', 'oldnodeid:Q', 1), 14: ('open', 'flags:I open_flags:I', 0), 15: ('read', READ, 0),
    16: ('write', 'fh:Q offset:Q size:I write_flags:I lock_owner:Q flags:I padding:I', 'data'),
    17: ('statfs', '', 0), 18: ('release', RELEASE, 0), 20: ('fsync', FSYNC, 0),
    21: ('setxattr', 'size:I flags:I', 'data'), 22: ('getxattr', XATTR, 1), 23: ('listxattr', XATTR, 0),
    24: ('removexattr', '', 1), 25: ('flush', 'fh:Q unused:I padding:I lock_owner:Q', 0),
    26: ('init', 'major:I minor:I max_readahead:I flags:I flags2:I unused0:I unused1:Q unused2:Q unused3:Q '
         'unused4:Q unused5:Q', 0),
    27: ('opendir', 'flags:I open_flags:I', 0), 28: ('readdir', READ, 0), 29: ('releasedir', RELEASE, 0),
    30: ('fsyncdir', FSYNC, 0), 31: ('getlk', LK, 0), 32: ('setlk', LK, 0), 33: ('setlkw', LK, 0),
    34: ('access', 'mask:I padding:I', 0), 35: ('create', CREATE, 1), 36: ('interrupt', 'unique:Q', 0),
    39: ('ioctl', 'fh:Q flags:I cmd:I arg:Q in_size:I out_size:I', 'data'),
    40: ('poll', 'fh:Q kh:Q flags:I events:I', 0), 42: ('batch_forget', 'count:I dummy:I', 'forgets'),
    43: ('fallocate', 'fh:Q offset:Q length:Q mode:I padding:I', 0), 44: ('readdirplus', READ, 0),
    45: ('rename2', 'newdir:Q flags:I padding:I', 2), 46: ('lseek', 'fh:Q offset:Q whence:I padding:I', 0),
    47: ('copy_file_range', COPY, 0), 51: ('tmpfile', CREATE, 1),
    52: ('statx', 'getattr_flags:I reserved:I fh:Q sx_flags:I sx_mask:I', 0), 53: ('copy_file_range_64', COPY, 0),
}


def unpack(fields, data, at, into, lines, prefix=''):
    """Unpacks the fields; appends a line for each 8 bytes with their names and values."""
    line, comments = b'', []
    for field in fields.split():
        name, form = field.split(':')
        size = struct.calcsize('<' + form)
        value, = struct.unpack_from('<' + form, data, at)
        into[name] = hex(value) if form == 'Q' else value
        line, at = line + data[at:at + size], at + size
        comments.append(f'{name} {hex(value) if form == "Q" else value}')
        if len(line) == 8:
            lines.append(f'{line.hex()} {prefix}{", ".join(comments)}')
            line, comments = b'', []
    assert line == b'', fields
    return at


def tail(data, at, lines):
    for start in range(at, len(data), 8):
        piece = data[start:start + 8]
        lines.append(f'{piece.hex()} {"".join(chr(c) if 32 <= c < 127 else "." for c in piece)}')


def pack(name, **values):
    fields = [field.split(':') for field in STRUCTS[name].split()]
    assert set(values) <= {field[0] for field in fields}, (name, values)
    return struct.pack('<' + ''.join(form for _, form in fields), *(values.get(field, 0) for field, _ in fields))


def parse(data):
    lines, header, body = [], {}, {}
    at = unpack(STRUCTS['in_header'], data, 0, header, lines)
    name, fields, rest = REQUESTS[header['opcode']]
    at = unpack(fields, data, at, body, lines)
    if rest == 'forgets':
        body['forgets'] = []
        for _ in range(body['count']):
            one = {}
            at = unpack('nodeid:Q nlookup:Q', data, at, one, lines)
            body['forgets'].append(one)
    else:
        if isinstance(rest, int) and rest > 0:
            body['names'] = [part.decode() for part in data[at:].split(b'\0')[:rest]]
        tail(data, at, lines)
    return {'kind': name, 'header': header, 'body': body, 'bytes': lines}
