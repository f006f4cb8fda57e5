#include "threads.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// As in the kernel's headers, which may be older: PIDFD_THREAD of pidfd_open(2), PF_EXITING of a thread's flags.
enum { OF_THREAD = O_EXCL, EXITING = 0x4 };
// The fields of /proc/PID/stat, counted from the state, which is the third.
enum { FLAGS = 9 - 3, THREADS = 20 - 3, EXIT_CODE = 52 - 3 };

static int open_thread(pid_t thread) {
#ifdef SYS_pidfd_open
  return (int)syscall(SYS_pidfd_open, thread, OF_THREAD);
#else
  return -1;
#endif
}

static DIR* open_tasks(pid_t pid) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
  return opendir(path);
}

// The id of the next thread; 0 after the last one.
static pid_t next_thread(DIR* tasks) {
  for (const struct dirent* entry; (entry = readdir(tasks)) != NULL;)
    if (entry->d_name[0] != '.') return atoi(entry->d_name);
  return 0;
}

static void forget(thread_watch* watch) {
  for (int i = 0; i < MOST_WATCHED; i++)
    if (watch->fds[i] >= 0) close(watch->fds[i]);
  *watch = NO_WATCH;
}

void threads_watch(thread_watch* watch, pid_t pid) {
  if (watch->pid == pid) return;
  forget(watch);
  watch->pid = pid;
  DIR* tasks = pid == 0 ? NULL : open_tasks(pid);
  if (tasks == NULL) return;
  int count = 0;
  // The kernel ends the threads in this order, so the first ones are hardly ever the last to exit.
  for (pid_t thread; count < MOST_WATCHED && (thread = next_thread(tasks)) != 0;)
    if (thread != pid && (watch->fds[count] = open_thread(thread)) >= 0) count++;
  closedir(tasks);
}

void threads_poll(const thread_watch* watch, struct pollfd* polled) {
  for (int i = 0; i < MOST_WATCHED; i++) polled[i] = (struct pollfd){.fd = watch->fds[i], .events = POLLIN};
}

bool threads_exited(thread_watch* watch, const struct pollfd* polled) {
  bool exited = false;
  for (int i = 0; i < MOST_WATCHED; i++) {
    if (watch->fds[i] < 0 || watch->fds[i] != polled[i].fd || polled[i].revents == 0) continue;
    close(watch->fds[i]);
    watch->fds[i] = -1;
    exited = true;
  }
  return exited;
}

// Returns a field of /proc/PID/task/THREAD/stat; -1 if there is none.
static long long field_of(pid_t pid, pid_t thread, int field) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)pid, (int)thread);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  text[got < 0 ? 0 : got] = '\0';
  const char* at = strrchr(text, ')');
  for (int i = 0; at != NULL && i <= field; i++) at = strchr(at + 1, ' ');
  return at == NULL ? -1 : atoll(at + 1);
}

bool threads_are_exiting(pid_t pid, int* status) {
  // If a thread goes meanwhile, the list may lack others: then the number changes, and a later look decides.
  const long long before = field_of(pid, pid, THREADS);
  DIR* tasks = open_tasks(pid);
  if (tasks == NULL) return false;
  bool all = true;
  long long count = 0;
  for (pid_t thread; all && (thread = next_thread(tasks)) != 0; count++) {
    const long long flags = field_of(pid, thread, FLAGS);
    all = flags >= 0 && (flags & EXITING) != 0;
  }
  closedir(tasks);
  all = all && count == before && field_of(pid, pid, THREADS) == before;
  const long long code = all ? field_of(pid, pid, EXIT_CODE) : -1;
  if (code > 0) *status = (int)code;
  return code > 0;
}
