// Notices the death of a server by its threads, which is up to 15 ms before its exit status: the last thread frees the
// memory of the process first.
#pragma once
#include <poll.h>
#include <stdbool.h>
#include <sys/types.h>

enum { MOST_WATCHED = 3 };

typedef struct {
  pid_t pid;  // 0: no process is watched
  int fds[MOST_WATCHED];  // a pidfd of each watched thread; -1: none, or the thread has exited
} thread_watch;

#define NO_WATCH ((thread_watch){.fds = {-1, -1, -1}})

// Watches threads of the process beside its main thread, whose own exit the kernel reports too late (Linux 6.15). Has
// no effect before Linux 6.9. No effect either if the process is watched already.
void threads_watch(thread_watch* watch, pid_t pid);
// Sets what poll(2) waits for: MOST_WATCHED entries.
void threads_poll(const thread_watch* watch, struct pollfd* polled);
// Returns whether a watched thread has exited since the last call. `polled`: as poll(2) left it.
bool threads_exited(thread_watch* watch, const struct pollfd* polled);
// Whether every thread of the process is exiting: none can make another system call, or take a request of the kernel. If
// so, and if the kernel shows how the process ends, stores that in `status`, as waitpid(2) does. An exit code of 0
// counts as unknown, because the kernel shows 0 to a process that may not know.
bool threads_are_exiting(pid_t pid, int* status);
