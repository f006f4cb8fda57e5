// dagmount-holder SOCKET: keeps the descriptors of mounts while all other processes of the mounts die, and does nothing
// else. Its clients are supervisors; docs/takeover.md lists the messages. A client proves by a key that it is of a
// mount. It never touches a mount: on a descriptor it calls only fstat(2), when it is stored, and poll(2).
#include "../supervisor/fd-message.h"
#include "../supervisor/log.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CLIENTS = 256, MOST_MOUNTS = 128, MOST_NAMES = 16, MESSAGE_BYTES = 256 };
enum { NAME_BYTES = 32, KEY_LENGTH = 64, LOOK_MS = 1000, GREETING_SECONDS = 5 };
enum { EX_USAGE = 64, EX_CANTCREAT = 73, EX_TEMPFAIL = 75 };

typedef struct {
  char key[KEY_LENGTH + 1];  // empty: this slot is free
  bool has_client;
  size_t count;
  struct { char name[NAME_BYTES]; int fd; } held[MOST_NAMES];
} held_mount;

typedef struct {
  held_mount* mount;  // NULL until the client has named its mount
  time_t since;
} client;

static held_mount mounts[MOST_MOUNTS];
static client clients[MOST_CLIENTS];
static struct pollfd polled[MOST_CLIENTS + 1];  // each client's socket, -1 in a free slot; then the listening socket

static time_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec;
}

static void drop_held(held_mount* mount, size_t at) {
  close(mount->held[at].fd);
  mount->held[at] = mount->held[--mount->count];
}

static bool drop_named(held_mount* mount, const char* name) {
  for (size_t i = 0; i < mount->count; i++)
    if (strcmp(mount->held[i].name, name) == 0) return drop_held(mount, i), true;
  return false;
}

// Whether readers depend on the descriptors: there is a connection that the kernel has not ended (POLLERR: unmounted or
// aborted). Without a connection there is nothing to take over, and locks and sockets must not outlive their mount.
static bool is_needed(const held_mount* mount) {
  for (size_t i = 0; i < mount->count; i++)
    if (strcmp(mount->held[i].name, "fuse") == 0) return poll(&(struct pollfd){.fd = mount->held[i].fd}, 1, 0) == 0;
  return false;
}

static void free_if_useless(held_mount* mount) {
  if (mount->key[0] == '\0' || mount->has_client || is_needed(mount)) return;
  while (mount->count > 0) drop_held(mount, 0);
  mount->key[0] = '\0';
}

static void drop_client(size_t at) {
  close(polled[at].fd), polled[at].fd = -1;
  if (clients[at].mount == NULL) return;
  clients[at].mount->has_client = false;
  free_if_useless(clients[at].mount);
}

// Copies the value of the second line, "<name><value>". False if it has other characters, is empty or is too long.
static bool second_line(const char* text, const char* name, const char* characters, char* value, size_t size) {
  const char* line = strchr(text, '\n');
  if (line == NULL || strncmp(++line, name, strlen(name)) != 0) return false;
  line += strlen(name);
  const size_t length = strspn(line, characters);
  if (length == 0 || length >= size || line[length] != '\0') return false;
  memcpy(value, line, length + 1);
  return true;
}

// The client names its mount and gets its descriptors. This function and those below return whether the client stays.
static bool attach(size_t at, const char* text) {
  char key[KEY_LENGTH + 1], line[NAME_BYTES + 32];
  held_mount *mount = NULL, *unused = NULL;
  if (!second_line(text, "KEY=", "0123456789abcdef", key, sizeof key) || strlen(key) != KEY_LENGTH) return false;
  for (size_t i = 0; i < MOST_MOUNTS; i++) {
    if (strcmp(mounts[i].key, key) == 0) mount = &mounts[i];
    else if (mounts[i].key[0] == '\0') unused = &mounts[i];
  }
  if (mount == NULL && unused == NULL) return send_fd_message(polled[at].fd, "REFUSED=full", -1), false;
  if (mount != NULL && mount->has_client) return send_fd_message(polled[at].fd, "REFUSED=busy", -1), false;
  if (mount == NULL) mount = unused, memcpy(mount->key, key, sizeof key);
  clients[at].mount = mount, mount->has_client = true;
  for (size_t i = 0; i < mount->count; i++) {
    snprintf(line, sizeof line, "FDSTORE=1\nFDNAME=%s", mount->held[i].name);
    if (!send_fd_message(polled[at].fd, line, mount->held[i].fd)) return false;
  }
  return send_fd_message(polled[at].fd, "READY=1", -1);
}

// Takes the descriptor if it returns true. The last slot is reserved for the connection. A file in the place of the
// connection is refused: its filesystem could leave poll(2) without an answer.
static bool keep(held_mount* mount, const char* name, int fd) {
  struct stat status;
  const bool is_connection = strcmp(name, "fuse") == 0;
  if (is_connection && (fstat(fd, &status) != 0 || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode))) return false;
  if (!drop_named(mount, name) && mount->count >= (size_t)(MOST_NAMES - (is_connection ? 0 : 1))) return false;
  snprintf(mount->held[mount->count].name, NAME_BYTES, "%s", name);
  mount->held[mount->count++].fd = fd;
  return true;
}

static bool obey(size_t at, const char* text, int* fds, size_t count) {
  char name[NAME_BYTES];
  held_mount* mount = clients[at].mount;
  if (mount == NULL) return count == 0 && strncmp(text, "HOLD=1\n", 7) == 0 && attach(at, text);
  const bool stores = strncmp(text, "FDSTORE=1\n", 10) == 0, removes = strncmp(text, "FDSTOREREMOVE=1\n", 16) == 0;
  if (!second_line(text, "FDNAME=", "abcdefghijklmnopqrstuvwxyz-", name, sizeof name)) return false;
  if (removes && count == 0) return drop_named(mount, name), true;
  if (!stores || count != 1 || !keep(mount, name, fds[0])) return false;
  fds[0] = -1;
  return true;
}

static bool hear(size_t at) {
  char text[MESSAGE_BYTES];
  int fds[MOST_RECEIVED_FDS];
  size_t count;
  const receipt got = receive_fd_message(polled[at].fd, text, sizeof text, fds, &count);
  const bool stays = got == GOT_NOTHING || (got == GOT_MESSAGE && obey(at, text, fds, count));
  for (size_t i = 0; i < count; i++)
    if (fds[i] >= 0) close(fds[i]);
  return stays;
}

// Accepts a client. If all slots are taken, closes its connection: each client has named its mount, or must within 5 s.
static void admit(struct pollfd* listener) {
  const int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0) listener->events = 0;  // no descriptor is left: accept again after the next look
  size_t at = 0;
  while (at < MOST_CLIENTS && polled[at].fd >= 0) at++;
  if (at == MOST_CLIENTS) close(fd);
  else polled[at] = (struct pollfd){.fd = fd, .events = POLLIN}, clients[at] = (client){.since = now()};
}

// The lock, which ends with this process, shows whether another holder runs. A socket that was left is replaced.
static int listen_at(const char* path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char lock[sizeof address.sun_path + 8];
  if (strlen(path) >= sizeof address.sun_path) return errno = ENAMETOOLONG, -1;
  snprintf(lock, sizeof lock, "%s.lock", path);
  umask(0177);
  const int locked = open(lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (locked < 0 || flock(locked, LOCK_EX | LOCK_NB) != 0) return -1;
  memcpy(address.sun_path, path, strlen(path));
  const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  unlink(path);
  return bind(fd, (struct sockaddr*)&address, sizeof address) == 0 && listen(fd, MOST_CLIENTS) == 0 ? fd : -1;
}

static void end(int signal) { _exit(signal == SIGTERM ? 0 : 128 + signal); }  // needed if this is process 1

int main(int count, char** arguments) {
  if (count != 2) return dprintf(2, "usage: dagmount-holder SOCKET\n"), EX_USAGE;
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) files.rlim_cur = files.rlim_max, setrlimit(RLIMIT_NOFILE, &files);
  signal(SIGTERM, end), signal(SIGINT, end);
  const int badness = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (badness >= 0) dprintf(badness, "-999"), close(badness);
  const int listener = listen_at(arguments[1]);
  if (listener < 0) {
    const int why = errno;
    log_failure("holder-failed", "the holder cannot listen", arguments[1], why);
    return why == EWOULDBLOCK ? EX_TEMPFAIL : EX_CANTCREAT;
  }
  for (size_t i = 0; i < MOST_CLIENTS; i++) polled[i].fd = -1;
  polled[MOST_CLIENTS] = (struct pollfd){.fd = listener, .events = POLLIN};
  for (time_t last = now();;) {
    poll(polled, MOST_CLIENTS + 1, LOOK_MS);
    for (size_t i = 0; i < MOST_CLIENTS; i++)
      if (polled[i].fd >= 0 && polled[i].revents != 0 && !hear(i)) drop_client(i);
    if (polled[MOST_CLIENTS].revents != 0) admit(&polled[MOST_CLIENTS]);
    if (now() == last) continue;
    last = now(), polled[MOST_CLIENTS].events = POLLIN;
    for (size_t i = 0; i < MOST_MOUNTS; i++) free_if_useless(&mounts[i]);
    for (size_t i = 0; i < MOST_CLIENTS; i++)
      if (polled[i].fd >= 0 && clients[i].mount == NULL && now() - clients[i].since > GREETING_SECONDS) drop_client(i);
  }
}
