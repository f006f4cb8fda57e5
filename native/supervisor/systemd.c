#include "systemd.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_FD = 3, MOST_FDS = 64, SEND_SECONDS = 1 };

static struct sockaddr_un address;
static socklen_t address_bytes;
static int notify = -1;
static uint64_t watchdog_us, last_watchdog_us;

static uint64_t now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

// `name`: a path, or after @ a name in the abstract namespace.
static void open_notify(const char* name) {
  const size_t length = name == NULL ? 0 : strlen(name);
  if (length < 2 || length >= sizeof address.sun_path || (name[0] != '/' && name[0] != '@')) return;
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, name, length);
  if (name[0] == '@') address.sun_path[0] = '\0';
  address_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (name[0] == '/'));
  notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  // The queue of a busy systemd may be full for a moment. If systemd hangs, readers must not wait for it.
  const struct timeval most = {.tv_sec = SEND_SECONDS};
  if (notify >= 0) setsockopt(notify, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
}

static void send_lines(const char* lines, int fd) {
  union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control = {0};
  struct iovec io = {.iov_base = (void*)(uintptr_t)lines, .iov_len = strlen(lines)};
  struct msghdr message = {.msg_name = &address, .msg_namelen = address_bytes, .msg_iov = &io, .msg_iovlen = 1};
  if (notify < 0) return;
  if (fd >= 0) {
    message.msg_control = &control, message.msg_controllen = sizeof control;
    control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
  }
  while (sendmsg(notify, &message, MSG_NOSIGNAL) < 0 && errno == EINTR) continue;
}

// Whether systemd's variables are meant for this process, and not inherited from a parent.
static bool is_ours(const char* pid_variable, bool otherwise) {
  const char* pid = getenv(pid_variable);
  return pid == NULL ? otherwise : atoll(pid) == (long long)getpid();
}

static void take_stored(void (*take)(const char* name, int fd)) {
  const char* count = getenv("LISTEN_FDS");
  const char* names = getenv("LISTEN_FDNAMES");
  if (count == NULL || !is_ours("LISTEN_PID", false)) return;
  for (int i = 0; i < atoi(count) && i < MOST_FDS; i++) {
    char name[256] = "";
    const size_t length = names == NULL ? 0 : strcspn(names, ":");
    if (length < sizeof name) snprintf(name, sizeof name, "%.*s", (int)length, names == NULL ? "" : names);
    if (names != NULL) names += length + (names[length] == ':');
    fcntl(FIRST_FD + i, F_SETFD, FD_CLOEXEC);
    take(name, FIRST_FD + i);
  }
}

void systemd_begin(void (*take)(const char* name, int fd)) {
  const char* watchdog = getenv("WATCHDOG_USEC");
  open_notify(getenv("NOTIFY_SOCKET"));
  if (watchdog != NULL && atoll(watchdog) > 0 && is_ours("WATCHDOG_PID", true)) watchdog_us = (uint64_t)atoll(watchdog);
  take_stored(take);
  const char* all[] = {"NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID", "WATCHDOG_USEC", "WATCHDOG_PID", "FDSTORE"};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) unsetenv(all[i]);
}

void systemd_say(const char* lines) { send_lines(lines, -1); }

void systemd_forget(const char* name) {
  char lines[128];
  snprintf(lines, sizeof lines, "FDSTOREREMOVE=1\nFDNAME=%s", name);
  send_lines(lines, -1);
}

// FDPOLL=0: systemd would otherwise drop a device that is not mounted, because poll(2) reports an error for it. Only
// systemd_forget drops it.
void systemd_store(const char* name, int fd) {
  char lines[128];
  systemd_forget(name);
  snprintf(lines, sizeof lines, "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
  send_lines(lines, fd);
}

void systemd_reloading(void) {
  char lines[128];
  snprintf(lines, sizeof lines, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)now_us());
  systemd_say(lines);
}

void systemd_watch(bool well) {
  const uint64_t now = now_us();
  // Half of the time that systemd gives, as sd_watchdog_enabled(3) advises.
  if (watchdog_us == 0 || !well || now - last_watchdog_us < watchdog_us / 2) return;
  last_watchdog_us = now;
  systemd_say("WATCHDOG=1");
}

// SIGUSR1 is RestartKillSignal= of the unit: only `systemctl restart` sends it.
bool systemd_restarts_by(int signal) { return notify >= 0 && signal == SIGUSR1; }
