#!/usr/bin/env python3
"""Records real exchanges with this kernel as golden bytes for the tests of src/wire.

    sudo python3 test/wire/capture.py        # writes test/wire/golden/*.json

Mounts two small trees through mount(2), answers the kernel from here with structs packed by Python (so that
nothing of the codec under test takes part), and lets a child process touch the mount. What the child sees is
checked: so each recorded reply is known to be one that the kernel understood. This process never touches the
mount. It is always detached, and closing the only descriptor of /dev/fuse aborts what hangs; an alarm bounds it.
"""
import ctypes, errno, fcntl, json, os, platform, select, signal, struct, subprocess, sys, tempfile

sys.dont_write_bytecode = True
from capture_client import errno_name
from capture_structs import STRUCTS, pack, parse, tail, unpack

DEADLINE_SECONDS = 60
HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, 'golden')
libc = ctypes.CDLL(None, use_errno=True)
MS_RDONLY, MS_NOSUID, MS_NODEV, MNT_DETACH = 1, 2, 4, 2
FOREVER = 2**64 - 1
# Of every inode but the root's, which the kernel wants to be 0: part of a file handle.
GENERATION = 0x89abcdef


class Node:
    def __init__(self, ino, mode, size=0, content=None, children=None):
        self.ino, self.mode, self.content, self.children = ino, mode, content, children
        self.size = len(content) if content is not None else size
        self.seconds, self.nanoseconds = 1_700_000_000 + ino % 1000, 123_456_000 + ino % 1000
        self.nlink = 2 if mode & 0o040000 else 1

    def attributes(self):
        """As the codec's Attributes; sizes and ids stay below 2^53."""
        return {'ino': self.ino, 'size': self.size, 'blocks': -(-self.size // 512), 'mtimeSeconds': self.seconds,
                'mtimeNanoseconds': self.nanoseconds, 'mode': self.mode, 'nlink': self.nlink, 'uid': 1000,
                'gid': 50000, 'blksize': 4096}

    def attr(self):
        a, s, n = self.attributes(), self.seconds, self.nanoseconds
        return {'ino': a['ino'], 'size': a['size'], 'blocks': a['blocks'], 'atime': s, 'mtime': s, 'ctime': s,
                'atimensec': n, 'mtimensec': n, 'ctimensec': n, 'mode': a['mode'], 'nlink': a['nlink'],
                'uid': a['uid'], 'gid': a['gid'], 'blksize': a['blksize']}


HELLO = Node(5, 0o100444, content=b'print("hello")\n')
NESTED = Node(2**40 + 7, 0o100444, content=b'x = 1\n')
HUGE = Node(8, 0o100444, size=2**33)
LINK = Node(9, 0o120777, size=8)
DAGS = Node(6, 0o040555, children={'nested.py': NESTED})
ROOT = Node(1, 0o040555, children={'hello.py': HELLO, 'dags': DAGS, 'huge.bin': HUGE, 'größe': Node(10, 0o100444)})
WRITABLE = Node(1, 0o040777, children={'hello.py': HELLO, 'dags': DAGS, 'link': LINK})
XATTRS = {'user.dagmount.etag': b'0123456789abcdef'}


def cookie(index):
    return 0x5a5a5a5a_00000000 + 0x9e3779b9 * (index + 1)


class Server:
    def __init__(self, flags, root, mount_flags, options):
        self.flags, self.root, self.exchanges, self.notices, self.notes = flags, root, [], [], {}
        self.nodes, self.writable = {}, not mount_flags & MS_RDONLY
        self.xattr_list = b''.join(name.encode() + b'\0' for name in XATTRS)
        self.keep(root)
        self.mount = tempfile.mkdtemp(prefix='fuse-capture-')
        self.fd = os.open('/dev/fuse', os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
        data = f'fd={self.fd},rootmode=40000,user_id=0,group_id=0,allow_other{options}'
        if libc.mount(b'capture', self.mount.encode(), b'fuse.capture', mount_flags, data.encode()) != 0:
            raise OSError(ctypes.get_errno(), 'mount')
        self.client = subprocess.Popen([sys.executable, os.path.join(HERE, 'capture_client.py'), self.mount],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def keep(self, node):
        self.nodes[node.ino] = node
        for child in (node.children or {}).values():
            self.keep(child)

    def close(self):
        self.client.kill()
        libc.umount2(self.mount.encode(), MNT_DETACH)
        os.close(self.fd)
        self.client.wait()
        os.rmdir(self.mount)

    def receive(self):
        request = os.read(self.fd, 1 << 20)
        return parse(request)

    def send(self, request, body=b'', error=0, reply=None, keep_bytes=True, comment=None):
        """Answers, and records the exchange."""
        header = pack('out_header', len=16 + len(body), error=-error, unique=int(request['header']['unique'], 16))
        os.write(self.fd, header + body)
        lines = []
        unpack(STRUCTS['out_header'], header, 0, {}, lines)
        if keep_bytes:
            self.annotate(reply, body, lines)
        self.record(request, {**reply, 'bytes': lines}, comment)

    def annotate(self, reply, body, lines):
        name = {'entry': 'entry_out', 'negativeEntry': 'entry_out', 'attr': 'attr_out', 'statfs': 'statfs_out',
                'xattrSize': 'getxattr_out', 'init': 'init_out', 'opened': 'open_out'}.get(reply['kind'])
        at = unpack(STRUCTS[name], body, 0, {}, lines) if name and body else 0
        while reply['kind'] in ('readdir', 'readdirplus') and at < len(body):
            if reply['kind'] == 'readdirplus':
                at = unpack(STRUCTS['entry_out'], body, at, {}, lines)
            dirent = {}
            at = unpack(STRUCTS['dirent'], body, at, dirent, lines)
            end = at + (dirent['namelen'] + 7) // 8 * 8
            tail(body[:end], at, lines)
            at = end
        tail(body, at, lines)

    def record(self, request, reply, comment):
        about = comment or self.notes.pop(request['kind'], None)
        self.exchanges.append({'comment': about or request['kind'].upper(), 'request': request, 'reply': reply})

    def error(self, request, number):
        self.send(request, error=number, reply={'kind': 'error', 'errno': errno_name(number)})

    def entry(self, node, ttl=FOREVER):
        generation = 0 if node is self.root else GENERATION
        return pack('entry_out', nodeid=node.ino, generation=generation, entry_valid=ttl, attr_valid=ttl, **node.attr())

    def notify(self, name, code, body, values, comment):
        message = pack('out_header', len=16 + len(body), error=code, unique=0) + body
        try:
            result = 'ok' if os.write(self.fd, message) == len(message) else 'short'
        except OSError as failure:
            result = errno_name(failure.errno)
        lines = []
        unpack(STRUCTS['out_header'], message, 0, {}, lines)
        at = 16 + unpack(STRUCTS[name], body, 0, {}, lines) if name in STRUCTS else 16
        tail(message, at, lines)
        self.notices.append({'comment': comment, 'kind': name, 'values': values, 'result': result, 'bytes': lines})
        return result

    def serve_until_idle(self, milliseconds=200):
        while select.select([self.fd], [], [], milliseconds / 1000)[0]:
            self.answer(self.receive())

    def ask(self, command, *, silent=False):
        """Lets the child do one thing, serving it meanwhile; gives what it saw, and the kinds of the upcalls."""
        before = len(self.exchanges)
        self.client.stdin.write(json.dumps(command) + '\n')
        poller = select.poll()
        poller.register(self.fd, select.POLLIN)
        poller.register(self.client.stdout, select.POLLIN)
        while True:
            ready = dict(poller.poll())
            if self.fd in ready:
                self.answer(self.receive())
            elif ready:
                line = self.client.stdout.readline()
                assert line, 'the client died'
                seen = json.loads(line)
                kinds = [exchange['request']['kind'] for exchange in self.exchanges[before:]]
                print(f'{command} -> {seen} {kinds}')
                assert not (silent and kinds), 'an upcall where none was expected'
                return seen, kinds

    def answer(self, request):
        kind, header, body = request['kind'], request['header'], request['body']
        node = self.nodes.get(int(header['nodeid'], 16))
        if kind == 'init':
            offered = body['flags'] | body['flags2'] << 32
            agreed = offered & self.flags
            values = {'major': 7, 'minor': min(body['minor'], 45), 'maxReadahead': body['max_readahead'],
                      'flags': hex(agreed), 'maxBackground': 4096, 'congestionThreshold': 3072, 'maxWrite': 4096,
                      'timeGran': 1, 'maxPages': 256}
            self.protocol = f"7.{body['minor']}"
            self.send(request, pack('init_out', major=7, minor=values['minor'], max_readahead=body['max_readahead'],
                                    flags=agreed & 0xffffffff, max_background=4096, congestion_threshold=3072,
                                    max_write=4096, time_gran=1, max_pages=256, flags2=agreed >> 32),
                      reply={'kind': 'init', 'values': values})
        elif kind in ('forget', 'batch_forget'):
            self.record(request, None, None)
        elif kind == 'interrupt':
            self.record(request, None, 'INTERRUPT of a LOOKUP whose caller was killed')
            held, self.held = self.held, None
            self.error(held, errno.EINTR)
        elif kind == 'lookup':
            self.answer_lookup(request, node, body['names'][0])
        elif kind == 'getattr':
            self.send(request, pack('attr_out', attr_valid=FOREVER, **node.attr()),
                      reply={'kind': 'attr', 'attributes': node.attributes(), 'ttl': 'forever'})
        elif kind in ('open', 'opendir') and self.writable:
            self.send(request, pack('open_out', fh=0x1122334455667788), reply={'kind': 'opened'})
        elif kind == 'read':
            self.answer_read(request, node)
        elif kind in ('readdir', 'readdirplus'):
            self.answer_listing(request, node)
        elif kind == 'statfs':
            values = {'blocks': 2**33, 'bfree': 3, 'bavail': 2, 'files': 2**34, 'ffree': 1, 'bsize': 4096,
                      'namelen': 255, 'frsize': 512}
            self.send(request, pack('statfs_out', **values), reply={'kind': 'statfs', 'values': values})
        elif kind == 'getxattr' and body['names'][0] not in XATTRS:
            self.error(request, errno.ENODATA if body['names'][0].startswith('user.') else errno.EOPNOTSUPP)
        elif kind in ('getxattr', 'listxattr'):
            value = XATTRS[body['names'][0]] if kind == 'getxattr' else self.xattr_list
            if body['size'] == 0:
                self.send(request, pack('getxattr_out', size=len(value)),
                          reply={'kind': 'xattrSize', 'size': len(value)})
            else:
                self.send(request, value, reply={'kind': 'bytes', 'content': value.hex()})
        elif kind == 'readlink':
            self.send(request, b'hello.py', reply={'kind': 'bytes', 'content': b'hello.py'.hex()})
        elif kind in ('release', 'releasedir'):
            self.send(request, reply={'kind': 'empty'})
        elif kind in ('setattr', 'symlink', 'mknod', 'mkdir', 'unlink', 'rmdir', 'rename', 'rename2', 'link', 'write',
                      'create', 'setxattr', 'removexattr', 'fallocate', 'copy_file_range', 'tmpfile'):
            self.error(request, errno.EROFS)
        else:
            self.error(request, errno.ENOSYS)

    def answer_lookup(self, request, node, name):
        if name == 'slow':
            self.held = request
            os.kill(request['header']['pid'], signal.SIGKILL)
        elif name == 'resent' and int(request['header']['unique'], 16) >> 63 == 0:
            self.record(request, None, 'LOOKUP that is left without an answer')
            self.notify('resend', 7, b'', {}, 'RESEND')
        elif name == '.':
            self.send(request, self.entry(node), comment='LOOKUP of a node id, for a file handle',
                      reply={'kind': 'entry', 'attributes': node.attributes(), 'ttl': 'forever'})
        elif name in (node.children or {}):
            child = node.children[name]
            self.send(request, self.entry(child), comment=f'LOOKUP of {name}',
                      reply={'kind': 'entry', 'attributes': child.attributes(), 'ttl': 'forever'})
        else:
            again = 'LOOKUP sent again, bit 63 of unique set' if name == 'resent' else f'LOOKUP of {name}: negative'
            self.send(request, pack('entry_out', entry_valid=3600), comment=again,
                      reply={'kind': 'negativeEntry', 'ttl': 3600})

    def answer_read(self, request, node):
        offset, size = int(request['body']['offset'], 16), request['body']['size']
        if node.content is None:
            data = bytes(max(0, min(size, node.size - offset)))
            self.send(request, data, reply={'kind': 'data', 'length': len(data)}, keep_bytes=False)
        else:
            data = node.content[offset:offset + size]
            self.send(request, data, reply={'kind': 'bytes', 'content': data.hex()})

    def answer_listing(self, request, node):
        plus = request['kind'] == 'readdirplus'
        entries = [('.', node, 1), ('..', self.root, 2)]
        entries += [(name, child, cookie(i)) for i, (name, child) in enumerate(node.children.items())]
        start = int(request['body']['offset'], 16)
        seen = [index for index, entry in enumerate(entries) if entry[2] == start]
        body, sent = b'', []
        for name, child, off in entries[seen[0] + 1 if seen else 0:]:
            raw = name.encode()
            record = pack('dirent', ino=child.ino, off=off, namelen=len(raw), type=child.mode >> 12) + raw
            if plus:
                record = (pack('entry_out') if name in ('.', '..') else self.entry(child)) + record
            record += bytes(-len(record) % 8)
            assert len(body) + len(record) <= request['body']['size']
            body += record
            sent.append({'name': name, 'attributes': child.attributes(), 'cookie': hex(off),
                         'counted': name not in ('.', '..')})
        self.send(request, body, reply={'kind': request['kind'], 'entries': sent},
                  comment=f"{request['kind'].upper()}{' at the end' if not sent else ''}")


def expect(seen, wanted):
    assert seen == wanted, f'{seen} where {wanted} was expected'


def seen_stat(node):
    a = node.attributes()
    return [a['ino'], a['size'], a['mode'], a['nlink'], a['mtimeSeconds'] * 10**9 + a['mtimeNanoseconds'], a['uid'],
            a['gid'], a['blocks'], a['blksize']]


def capture_reads():
    bits = (0, 4, 12, 13, 17, 18, 22, 23, 24, 30, 35, 39)
    server = Server(sum(1 << bit for bit in bits), ROOT, MS_RDONLY | MS_NOSUID | MS_NODEV, ',default_permissions')
    try:
        expect(server.ask(['stat', ''])[0], seen_stat(ROOT))
        expect(server.ask(['stat', 'hello.py'])[0], seen_stat(HELLO))
        expect(server.ask(['stat', 'missing'])[0], 'ENOENT')
        server.ask(['stat', 'missing'], silent=True)
        expect(server.ask(['list', ''])[0], sorted(ROOT.children))
        expect(server.ask(['stat', 'größe'], silent=True)[0], seen_stat(ROOT.children['größe']))
        expect(server.ask(['stat', 'dags/nested.py'])[0], seen_stat(NESTED))
        server.ask(['handle', 'hello.py'], silent=True)
        server.ask(['open', 'hello.py', os.O_RDONLY])
        expect(server.ask(['read', 'hello.py', 100, 0])[0], HELLO.content.decode())
        server.ask(['ioctl', 'hello.py'])
        server.ask(['seek_hole', 'hello.py'])
        server.ask(['fsync', 'hello.py'])
        server.ask(['poll', 'hello.py'])
        server.ask(['close', 'hello.py'])
        server.ask(['open', 'dags', os.O_RDONLY])
        server.ask(['fsync', 'dags'])
        server.ask(['close', 'dags'])
        server.ask(['open', 'huge.bin', os.O_RDONLY])
        server.notes['read'] = 'READ beyond 4 GiB'
        expect(server.ask(['read', 'huge.bin', 1, 2**32 + 2**20])[0], '\0')
        server.ask(['close', 'huge.bin'])
        server.ask(['btime', 'hello.py'])
        expect(server.ask(['statvfs', ''])[0], [2**33, 3, 2, 2**34, 1, 4096, 255, 512])
        for name, wanted in (('user.dagmount.etag', 16), ('user.absent', 'ENODATA'), ('security.x', 'EOPNOTSUPP')):
            server.notes['getxattr'] = f'GETXATTR of {name}, size asked'
            expect(server.ask(['xattr_size', 'hello.py', name])[0], wanted)
        expect(server.ask(['getxattr', 'hello.py', 'user.dagmount.etag'])[0], '0123456789abcdef')
        expect(server.ask(['listxattr_size', 'hello.py'])[0], len(server.xattr_list))
        expect(server.ask(['listxattr', 'hello.py'])[0], list(XATTRS))
        expect(server.ask(['killed', 'slow'])[0], -signal.SIGKILL)
        expect(server.ask(['stat', 'resent'])[0], 'ENOENT')

        def inval_entry(parent, name, comment):
            body = pack('inval_entry', parent=parent, namelen=len(name)) + name.encode() + b'\0'
            return server.notify('inval_entry', 3, body, {'parent': parent, 'name': name, 'flags': 0}, comment)

        def inval_inode(ino, off, length, comment):
            values = {'nodeId': ino, 'offset': off, 'length': length}
            return server.notify('inval_inode', 2, pack('inval_inode', ino=ino, off=off, len=length), values, comment)

        def store(ino, offset, content, comment):
            body = pack('store', nodeid=ino, offset=offset, size=len(content)) + content
            values = {'nodeId': ino, 'offset': offset, 'content': content.hex()}
            return server.notify('store', 4, body, values, comment)

        expect(inval_inode(1, -1, 0, 'INVAL_INODE: attributes of the root'), 'ok')
        server.notes['getattr'] = 'GETATTR after INVAL_INODE'
        assert 'getattr' in server.ask(['stat', ''])[1]
        expect(inval_inode(1, 0, 0, 'INVAL_INODE: listing of the root'), 'ok')
        expect(store(NESTED.ino, 0, b'y = 2\n', 'STORE: content of a node id above 2^32'), 'ok')
        server.ask(['open', 'dags/nested.py', os.O_RDONLY])
        expect(server.ask(['read', 'dags/nested.py', 100, 0], silent=True)[0], 'y = 2\n')
        server.ask(['close', 'dags/nested.py'])
        expect(store(NESTED.ino, 0, b'', 'STORE of no bytes: the kernel holds the node'), 'ok')
        expect(store(4711, 0, b'', 'STORE of no bytes: the kernel does not hold the node'), 'ENOENT')
        expect(inval_entry(1, 'never', 'INVAL_ENTRY of a name that is not cached'), 'ENOENT')
        expect(inval_entry(1, 'missing', 'INVAL_ENTRY of a negative name'), 'ok')
        expect(server.ask(['stat', 'missing'])[0], 'ENOENT')
        expect(inval_entry(1, 'hello.py', 'INVAL_ENTRY'), 'ok')
        server.serve_until_idle()
        # Its inode is gone: the kernel looks the node id of the handle up.
        expect(server.ask(['stat_by_handle', 'hello.py'])[0], seen_stat(HELLO))
        server.serve_until_idle()
        body = pack('delete', parent=DAGS.ino, child=NESTED.ino, namelen=9) + b'nested.py\0'
        values = {'parent': DAGS.ino, 'child': NESTED.ino, 'name': 'nested.py'}
        expect(server.notify('delete', 6, body, values, 'DELETE'), 'ok')
        expect(inval_entry(1, 'huge.bin', 'INVAL_ENTRY of another, so that two FORGETs wait'), 'ok')
        server.serve_until_idle()
    finally:
        server.close()
    return server


def capture_writes():
    # READDIR instead of READDIRPLUS, OPEN answered, locks: requests that dagmount's own flags never bring.
    server = Server(1 << 1 | 1 << 10 | 1 << 22 | 1 << 30, WRITABLE, MS_NOSUID | MS_NODEV, '')
    try:
        expect(server.ask(['list', ''])[0], sorted(WRITABLE.children))
        expect(server.ask(['readlink', 'link'])[0], 'hello.py')
        expect(server.ask(['access', 'hello.py', os.R_OK])[0], True)
        server.ask(['open', 'hello.py', os.O_RDWR])
        server.ask(['open', 'dags/nested.py', os.O_RDWR])
        erofs = [['write', 'hello.py'], ['chmod', 'hello.py', 0o644], ['truncate', 'hello.py', 0],
                 ['utime', 'hello.py', [1, 2]], ['mknod', 'new', 0o100644], ['mkdir', 'new'], ['unlink', 'hello.py'],
                 ['rmdir', 'dags'], ['rename', 'hello.py', 'other'], ['rename2', 'hello.py', 'other'],
                 ['link', 'hello.py', 'other'], ['symlink', 'new'], ['setxattr', 'hello.py'],
                 ['removexattr', 'hello.py'], ['fallocate', 'hello.py'],
                 ['copy', 'hello.py', 'dags/nested.py'], ['open', 'new', os.O_CREAT | os.O_WRONLY],
                 ['open', '', os.O_TMPFILE | os.O_RDWR]]
        for command in erofs:
            expect(server.ask(command)[0], 'EROFS')
        server.ask(['lock', 'hello.py', fcntl.LOCK_NB])
        server.ask(['lock', 'hello.py', 0])
        server.ask(['close', 'hello.py'])
        server.ask(['close', 'dags/nested.py'])
        server.serve_until_idle()
    finally:
        server.close()
    return server


def write(name, about, server, exchanges=None, notifications=None):
    content = {'about': about, 'kernel': platform.release().split('-')[0], 'protocol': server.protocol}
    content |= {'exchanges': exchanges} if exchanges is not None else {'notifications': notifications}
    with open(os.path.join(GOLDEN, name), 'w', encoding='utf-8') as file:
        json.dump(content, file, ensure_ascii=False, indent=1)
        file.write('\n')


def main():
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(f'not done after {DEADLINE_SECONDS} s'))
    signal.alarm(DEADLINE_SECONDS)
    os.makedirs(GOLDEN, exist_ok=True)
    reads = capture_reads()
    write('reads.json', 'A read-only mount with the flags that dagmount asks for.', reads, exchanges=reads.exchanges)
    write('notifications.json', 'What the server sends unasked, and how the kernel took it.', reads,
          notifications=reads.notices)
    writes = capture_writes()
    write('writes.json', 'A writable mount that refuses every change: requests that a read-only one never brings.',
          writes, exchanges=writes.exchanges)


if __name__ == '__main__':
    main()
