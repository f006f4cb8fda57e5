"""The child of capture.py, which alone touches the mount: one JSON command a line in, one JSON answer a line out."""
import ctypes, errno, fcntl, json, os, select, struct, subprocess, sys

libc = ctypes.CDLL(None, use_errno=True)


def errno_name(number):
    return 'EOPNOTSUPP' if number == errno.EOPNOTSUPP else errno.errorcode[number]


def seen_stat(s):
    return [s.st_ino, s.st_size, s.st_mode, s.st_nlink, s.st_mtime_ns, s.st_uid, s.st_gid, s.st_blocks, s.st_blksize]


def client(mount):
    files, handles = {}, {}
    renameat2, statx = libc.renameat2, libc.statx

    def call(function, *arguments):
        if function(*arguments) < 0:
            raise OSError(ctypes.get_errno(), 'call')

    def do(name, path, *rest):
        full = os.path.join(mount, path) if path is not None else None
        if name == 'stat':
            return seen_stat(os.stat(full))
        if name == 'list':
            return sorted(os.listdir(full))
        if name == 'open':
            files[path] = os.open(full, rest[0])
        elif name == 'read':
            os.posix_fadvise(files[path], 0, 0, os.POSIX_FADV_RANDOM)
            return os.pread(files[path], rest[0], rest[1]).decode('latin1')[:64]
        elif name == 'write':
            os.pwrite(files[path], b'data', 0)
        elif name == 'close':
            os.close(files.pop(path))
        elif name == 'ioctl':
            fcntl.ioctl(files[path], 0x5401, bytes(60))
        elif name == 'seek_hole':
            return os.lseek(files[path], 0, os.SEEK_HOLE)
        elif name == 'fsync':
            os.fsync(files[path])
        elif name == 'poll':
            poller = select.poll()
            poller.register(files[path], select.POLLIN)
            return len(poller.poll(0))
        elif name == 'lock':
            fcntl.lockf(files[path], rest[0] | fcntl.LOCK_EX)
        elif name == 'copy':
            os.copy_file_range(files[path], files[rest[0]], 4)
        elif name == 'fallocate':
            os.posix_fallocate(files[path], 0, 100)
        elif name == 'btime':
            call(statx, -100, full.encode(), 0, 0x800, ctypes.create_string_buffer(256))
        elif name == 'rename2':
            call(renameat2, -100, full.encode(), -100, os.path.join(mount, rest[0]).encode(), 1)
        elif name == 'getxattr':
            return os.getxattr(full, rest[0]).decode()
        elif name == 'xattr_size':
            size = libc.getxattr(full.encode(), rest[0].encode(), None, 0)
            if size < 0:
                raise OSError(ctypes.get_errno(), 'getxattr')
            return size
        elif name == 'listxattr_size':
            return libc.listxattr(full.encode(), None, 0)
        elif name == 'statvfs':
            s = os.statvfs(full)
            return [s.f_blocks, s.f_bfree, s.f_bavail, s.f_files, s.f_ffree, s.f_bsize, s.f_namemax, s.f_frsize]
        elif name == 'killed':
            return subprocess.run([sys.executable, '-c', 'import os,sys; os.stat(sys.argv[1])', full]).returncode
        elif name == 'handle':
            handles[path] = ctypes.create_string_buffer(struct.pack('Ii', 128, 0), 8 + 128)
            call(libc.name_to_handle_at, -100, full.encode(), handles[path], ctypes.byref(ctypes.c_int()), 0)
        elif name == 'stat_by_handle':
            root = os.open(mount, os.O_RDONLY)
            file = libc.open_by_handle_at(root, handles[path], os.O_PATH)
            os.close(root)
            if file < 0:
                raise OSError(ctypes.get_errno(), 'open_by_handle_at')
            try:
                return seen_stat(os.stat(file))
            finally:
                os.close(file)
        elif name == 'symlink':
            os.symlink('target', full)
        elif name == 'utime':
            os.utime(full, tuple(rest[0]))
        elif name in ('rename', 'link'):
            getattr(os, name)(full, os.path.join(mount, rest[0]))
        elif name == 'setxattr':
            os.setxattr(full, 'user.x', b'value')
        elif name == 'removexattr':
            os.removexattr(full, 'user.x')
        else:
            return getattr(os, name)(full, *rest)
        return None

    for line in sys.stdin:
        try:
            result = do(*json.loads(line))
        except OSError as failure:
            result = errno_name(failure.errno)
        print(json.dumps(result), flush=True)


if __name__ == '__main__':
    client(sys.argv[1])
