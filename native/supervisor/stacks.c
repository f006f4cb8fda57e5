#include "stacks.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MOST_FRAMES = 8 };

// Reads the first bytes of /proc/PID/task/TID/<name>; the text is empty if it cannot be read.
static void look(pid_t pid, const char* thread, const char* name, char* text, size_t size) {
  char path[320];
  snprintf(path, sizeof path, "/proc/%d/task/%s/%s", (int)pid, thread, name);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t got = fd < 0 ? -1 : read(fd, text, size - 1);
  if (fd >= 0) close(fd);
  text[got < 0 ? 0 : got] = '\0';
  if (got > 0 && text[got - 1] == '\n') text[got - 1] = '\0';
}

// Turns lines like "[<0>] do_epoll_wait+0x1/0x2" into "do_epoll_wait, ...".
static void join_frames(const char* stack, char* text, size_t size) {
  size_t length = 0;
  text[0] = '\0';
  for (int frame = 0; frame < MOST_FRAMES && (stack = strstr(stack, "] ")) != NULL; frame++) {
    stack += 2;
    const int name = (int)strcspn(stack, "+\n");
    const int wrote = snprintf(text + length, size - length, "%s%.*s", frame == 0 ? "" : ", ", name, stack);
    if (wrote < 0 || (size_t)wrote >= size - length) break;
    length += (size_t)wrote;
  }
}

void stacks_of(pid_t pid, char* text, size_t size) {
  char path[32];
  size_t length = 0;
  text[0] = '\0';
  snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
  DIR* tasks = opendir(path);
  if (tasks == NULL) return;
  for (const struct dirent* entry; (entry = readdir(tasks)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    char name[32], stat[256], stack[2048], where[512];
    look(pid, entry->d_name, "comm", name, sizeof name);
    look(pid, entry->d_name, "stat", stat, sizeof stat);
    look(pid, entry->d_name, "stack", stack, sizeof stack);
    join_frames(stack, where, sizeof where);
    if (where[0] == '\0') look(pid, entry->d_name, "wchan", where, sizeof where);
    const char* state = strrchr(stat, ')');
    const int wrote = snprintf(text + length, size - length, "%s%s %s %c: %s", length == 0 ? "" : "; ", entry->d_name, name,
        state == NULL || state[1] == '\0' ? '?' : state[2], where);
    if (wrote < 0 || (size_t)wrote >= size - length) break;
    length += (size_t)wrote;
  }
  closedir(tasks);
}
