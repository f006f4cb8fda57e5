"""The side of a service manager in sd_notify(3), sd_listen_fds(3) and sd_watchdog_enabled(3), as systemd has it for a
unit with Type=notify, NotifyAccess=main, KillMode=mixed, Restart=on-failure and RestartKillSignal=SIGUSR1:

    stand-in-systemd.py SOCKET COMMAND...      SOCKET is a path, or a name with @ before it

SIGUSR1 restarts the service, SIGUSR2 kills every process of it at once, SIGTERM stops it; a main process that ends in any
other way than with 0 is started again, with what was stored. Prints what happens, one JSON object a line, and ends as
the main process did.
"""

import array
import ctypes
import json
import os
import signal
import socket
import struct
import sys

FIRST = 3
MOST = 16
WATCHDOG_USEC = int(os.environ.pop("STAND_IN_WATCHDOG_USEC", "2000000"))
name, command = sys.argv[1], sys.argv[2:]
# Makes this process the parent of processes that a dead main process leaves: a unit's control group keeps them.
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
notify.bind("\0" + name[1:] if name[0] == "@" else name)
stored = []  # [name, descriptor]
wanted = []  # signals that this process received
main = None


def tell(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


def children():
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return [int(pid) for pid in file.read().split()]


def descendants(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            mine = [int(child) for child in file.read().split()]
    except OSError:
        return []
    return mine + [pid for child in mine for pid in descendants(child)]


def start():
    global main
    main = os.fork()
    if main == 0:
        # First copy the descriptors to high numbers, out of the range into which they go.
        high = [os.dup2(fd, 100 + place) for place, (_, fd) in enumerate(stored)]
        for place, fd in enumerate(high):
            os.dup2(fd, FIRST + place, inheritable=True)
        os.closerange(FIRST + len(high), 256)
        pid = str(os.getpid())
        env = {**os.environ, "NOTIFY_SOCKET": name, "WATCHDOG_USEC": str(WATCHDOG_USEC), "WATCHDOG_PID": pid}
        if stored:
            names = ":".join(each for each, _ in stored)
            env.update(LISTEN_FDS=str(len(stored)), LISTEN_PID=pid, LISTEN_FDNAMES=names)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, heeded)
        os.execvpe(command[0], command, env)
    tell("started", pid=main, names=[each for each, _ in stored])


def kill_rest():
    for pid in children():
        for each in [pid, *descendants(pid)]:
            if each != main:
                os.kill(each, signal.SIGKILL)


def receive():
    while True:
        try:
            data, ancillary, _, _ = notify.recvmsg(8192, 4096, socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return
        fds, sender = array.array("i"), None
        for level, kind, content in ancillary:
            if kind == socket.SCM_RIGHTS:
                fds.frombytes(content)
            elif kind == socket.SCM_CREDENTIALS:
                sender = struct.unpack("iii", content)[0]
        lines = dict(line.split("=", 1) for line in data.decode().splitlines())
        tell("notified" if sender == main else "refused", lines=lines, fds=len(fds))
        if sender != main:
            continue
        if lines.get("FDSTOREREMOVE") == "1":
            for entry in [entry for entry in stored if entry[0] == lines.get("FDNAME")]:
                os.close(entry[1])
                stored.remove(entry)
        if lines.get("FDSTORE") == "1":
            for fd in fds:
                if len(stored) == MOST:
                    tell("full")
                    os.close(fd)
                else:
                    stored.append((lines.get("FDNAME", "stored"), fd))
        elif fds:
            for fd in fds:
                os.close(fd)


def reap():
    """The status with which the main process ended, or None."""
    ended = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        if pid == main:
            ended = status


heeded = {signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGIO}
signal.pthread_sigmask(signal.SIG_BLOCK, heeded)
start()
job = None
while True:
    came = signal.sigtimedwait(heeded, 0.01)
    receive()
    if came is None or came.si_signo == signal.SIGCHLD:
        pass
    elif came.si_signo == signal.SIGUSR1:
        job = "restart"
        os.kill(main, signal.SIGUSR1)
    elif came.si_signo == signal.SIGUSR2:
        for each in [main, *descendants(main)]:
            os.kill(each, signal.SIGKILL)
    else:
        if came.si_signo in (signal.SIGTERM, signal.SIGINT):
            job = "stop"
        os.kill(main, came.si_signo)
    status = reap()
    if status is None:
        continue
    receive()
    tell("ended", status=status, names=[each for each, _ in stored])
    kill_rest()
    if job == "restart" or (job is None and status != 0):
        job = None
        start()
        continue
    if os.WIFSIGNALED(status):
        signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, heeded)
        os.kill(os.getpid(), os.WTERMSIG(status))
    sys.exit(os.WEXITSTATUS(status))
