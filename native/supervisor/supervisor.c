// dagmount-supervisor PROGRAM [ARGUMENT...]: runs a server, keeps the file descriptors that it hands over, and
// starts it again with them when it dies. It knows nothing of what they are, and never touches the mount.
//
// A server speaks to it over a socket whose number is in DAGMOUNT_SUPERVISOR, in messages as sd_notify(3) has them:
//   FDSTORE=1\nFDNAME=<name>         with a descriptor: keep it, in the place of what has that name
//   FDSTOREREMOVE=1\nFDNAME=<name>   close it
//   WATCHDOG=1                       it is well
// DAGMOUNT_SUPERVISOR is "<socket> <times started again> <name>=<descriptor> ...", DAGMOUNT_SUPERVISOR_REASON is why
// the one before ended. As long as the descriptor "fuse" is kept, readers depend on it, and a server that ends in any
// other way than by exit code 0 has a successor; without it the server's end is that of this process.
//
// dagmount-supervisor --adopt PID SOCKET TIMES PROGRAM [ARGUMENT...]: for a server whose supervisor is gone.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_KEPT = 16, NAME_BYTES = 32, LOOK_MS = 20, LONGEST_PAUSE_MS = 5000, FIRST_PAUSE_MS = 100 };
// A step of the clock that is longer than this was spent stopped, not waiting for the server.
enum { LONGEST_STEP_MS = 1000 };

typedef struct {
  char name[NAME_BYTES];
  int fd;
} kept_fd;

static kept_fd kept[MOST_KEPT];
static size_t kept_count;
static char** program;
static int signals, channel = -1, own_badness = 0, restarts;
static pid_t server;
static bool is_well, has_exited;
static int exit_status, held_signal;
static uint64_t silent_ms, down_ms, watchdog_ms = 10000, deadline_ms = 60000;
static char reason[128];

static uint64_t now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static kept_fd* find(const char* name) {
  for (size_t i = 0; i < kept_count; i++)
    if (strcmp(kept[i].name, name) == 0) return &kept[i];
  return NULL;
}

static void drop(const char* name) {
  kept_fd* entry = find(name);
  if (entry == NULL) return;
  close(entry->fd);
  *entry = kept[--kept_count];
}

static void keep(const char* name, int fd) {
  drop(name);
  if (kept_count == MOST_KEPT) {
    close(fd);
    return;
  }
  snprintf(kept[kept_count].name, NAME_BYTES, "%s", name);
  kept[kept_count++].fd = fd;
}

// What the out-of-memory killer thinks of a process; of little use without privileges.
static void set_badness(int value) {
  const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  dprintf(fd, "%d", value);
  close(fd);
}

static int badness(void) {
  char text[16] = "0";
  const int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
  if (fd >= 0 && read(fd, text, sizeof text - 1) < 0) text[0] = '0';
  if (fd >= 0) close(fd);
  return atoi(text);
}

static void become_server(int socket) {
  char list[64 + MOST_KEPT * (NAME_BYTES + 12)];
  int length = snprintf(list, sizeof list, "%d %d", socket, restarts);
  fcntl(socket, F_SETFD, 0);
  for (size_t i = 0; i < kept_count; i++) {
    fcntl(kept[i].fd, F_SETFD, 0);
    length += snprintf(list + length, sizeof list - (size_t)length, " %s=%d", kept[i].name, kept[i].fd);
  }
  setenv("DAGMOUNT_SUPERVISOR", list, 1);
  setenv("DAGMOUNT_SUPERVISOR_REASON", reason, 1);
  // A terminal's signals reach it through its supervisor alone: two SIGINT would be one too many.
  setpgid(0, 0);
  set_badness(own_badness);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execvp(program[0], program);
  dprintf(2, "dagmount-supervisor: %s cannot be run: %s\n", program[0], strerror(errno));
  _exit(127);
}

static bool start(void) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return false;
  const pid_t child = fork();
  if (child == 0) become_server(pair[1]);
  close(pair[1]);
  if (child < 0) {
    close(pair[0]);
    return false;
  }
  if (channel >= 0) close(channel);
  channel = pair[0];
  server = child;
  is_well = has_exited = false;
  silent_ms = 0;
  return true;
}

static void pass_on(int signal) {
  // What comes while nobody is there to heed it is kept: by default it would end a server that is just starting.
  if (find("fuse") != NULL && !is_well) held_signal = signal;
  else kill(server, signal);
}

static void heed(const char* message, int fd) {
  char name[NAME_BYTES] = "";
  const char* named = strstr(message, "FDNAME=");
  if (named != NULL) sscanf(named, "FDNAME=%31[a-z-]", name);
  if (strncmp(message, "FDSTORE=1", 9) == 0 && fd >= 0 && name[0] != '\0') {
    keep(name, fd);
    return;
  }
  if (fd >= 0) close(fd);
  if (strncmp(message, "FDSTOREREMOVE=1", 15) == 0) drop(name);
  if (strncmp(message, "WATCHDOG=1", 10) != 0) return;
  is_well = true;
  silent_ms = down_ms = 0;
  if (held_signal != 0) kill(server, held_signal);
  held_signal = 0;
}

// True where there may be more.
static bool receive(void) {
  char text[256];
  union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control;
  struct iovec io = {.iov_base = text, .iov_len = sizeof text - 1};
  struct msghdr message = {
      .msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  const ssize_t got = channel < 0 ? 0 : recvmsg(channel, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (got <= 0) {
    if (channel >= 0) close(channel);
    channel = -1;
    return false;
  }
  text[got] = '\0';
  int fd = -1;
  const struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != NULL && header->cmsg_type == SCM_RIGHTS) memcpy(&fd, CMSG_DATA(header), sizeof fd);
  heed(text, fd);
  return true;
}

// A process whose thread hangs in the kernel (a notification that waits for a request which nobody answers any more)
// cannot be waited for, and keeps every pipe and lock: but its leader is a zombie.
static bool is_dead(void) {
  char path[32], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)server);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT;
  const ssize_t got = read(fd, text, sizeof text - 1);
  close(fd);
  if (got <= 0) return got < 0 && errno == ESRCH;
  text[got] = '\0';
  const char* state = strrchr(text, ')');
  return state != NULL && (state[2] == 'Z' || state[2] == 'X');
}

// Of a server that is no child: its end says nothing.
static bool is_gone(void) { return waitpid(server, NULL, WNOHANG) < 0 && errno == ECHILD; }

static void reap(void) {
  int status;
  for (pid_t child; (child = waitpid(-1, &status, WNOHANG)) > 0;) {
    if (child != server) continue;
    has_exited = true;
    exit_status = status;
  }
}

static void end_as_server_did(void) {
  if (WIFSIGNALED(exit_status)) {
    const int signal = WTERMSIG(exit_status);
    prctl(PR_SET_DUMPABLE, 0);  // one core is enough
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigaction(signal, &action, NULL);
    sigset_t set;
    sigemptyset(&set), sigaddset(&set, signal);
    raise(signal);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    _exit(128 + signal);
  }
  _exit(WEXITSTATUS(exit_status));
}

static void describe_end(bool silent) {
  if (silent) snprintf(reason, sizeof reason, "it gave no sign of life for %d ms", (int)watchdog_ms);
  else if (!has_exited) snprintf(reason, sizeof reason, "it was killed");
  else if (WIFSIGNALED(exit_status))
    snprintf(reason, sizeof reason, "signal %d (%s)", WTERMSIG(exit_status), strsignal(WTERMSIG(exit_status)));
  else snprintf(reason, sizeof reason, "exit code %d", WEXITSTATUS(exit_status));
}

// Starts a successor, later each time that none of them came to be well. Never waits for the one before to be gone.
static void succeed(bool silent) {
  static uint64_t pause = FIRST_PAUSE_MS;
  // The other threads of one that was killed are gone a moment after its leader, unless one hangs.
  for (int tries = 0; !silent && !has_exited && tries < 10; tries++) {
    nanosleep(&(struct timespec){0, 1000000}, NULL);
    reap();
  }
  describe_end(silent);
  kill(server, SIGKILL);
  pause = is_well ? 0 : pause == 0 ? FIRST_PAUSE_MS : pause * 2;
  if (pause > LONGEST_PAUSE_MS) pause = LONGEST_PAUSE_MS;
  is_well = false;
  const struct timespec rest = {(time_t)(pause / 1000), (long)(pause % 1000) * 1000000};
  nanosleep(&rest, NULL);
  down_ms += pause;
  // A server that cannot be: readers get an error, and whoever starts next replaces the mount.
  if (down_ms > deadline_ms) drop("fuse");
  restarts++;
  while (!start()) nanosleep(&(struct timespec){1, 0}, NULL);
}

static void look_after_server(uint64_t step) {
  reap();
  const bool dead = has_exited || is_dead();
  silent_ms += step;
  if (!is_well) down_ms += step;
  const bool silent = !dead && find("fuse") != NULL && silent_ms > (is_well ? watchdog_ms : deadline_ms);
  if (!dead && !silent) return;
  while (receive()) continue;  // what it said last
  const bool ended = has_exited && WIFEXITED(exit_status) && WEXITSTATUS(exit_status) == 0;
  if (find("fuse") != NULL && !ended) succeed(silent);
  else if (has_exited) end_as_server_did();
  else if (is_gone()) _exit(0);
}

static uint64_t setting(const char* name, uint64_t otherwise) {
  const char* value = getenv(name);
  return value == NULL || atoll(value) <= 0 ? otherwise : (uint64_t)atoll(value);
}

int main(int count, char** arguments) {
  const bool adopts = count > 5 && strcmp(arguments[1], "--adopt") == 0;
  if (count < 2) return dprintf(2, "usage: dagmount-supervisor PROGRAM [ARGUMENT...]\n"), 64;
  program = arguments + (adopts ? 5 : 1);
  if (adopts) {
    server = atoi(arguments[2]), channel = atoi(arguments[3]), restarts = atoi(arguments[4]);
    is_well = fcntl(channel, F_SETFD, FD_CLOEXEC) == 0;
  }
  watchdog_ms = setting("DAGMOUNT_WATCHDOG_MS", watchdog_ms);
  deadline_ms = setting("DAGMOUNT_TAKEOVER_DEADLINE_MS", deadline_ms);
  sigset_t heeded;
  sigemptyset(&heeded);
  const int all[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) sigaddset(&heeded, all[i]);
  sigprocmask(SIG_BLOCK, &heeded, NULL);
  signals = signalfd(-1, &heeded, SFD_CLOEXEC | SFD_NONBLOCK);
  own_badness = badness();
  set_badness(-900);
  if (signals < 0 || (!adopts && !start())) return dprintf(2, "dagmount-supervisor: %s\n", strerror(errno)), 71;
  for (uint64_t before = now_ms(), now;; before = now) {
    struct pollfd ready[] = {{.fd = signals, .events = POLLIN}, {.fd = channel, .events = POLLIN}};
    poll(ready, 2, LOOK_MS);
    while (channel >= 0 && receive()) continue;
    struct signalfd_siginfo info;
    while (read(signals, &info, sizeof info) == sizeof info)
      if (info.ssi_signo != SIGCHLD) pass_on((int)info.ssi_signo);
    now = now_ms();
    look_after_server(now - before > LONGEST_STEP_MS ? LONGEST_STEP_MS : now - before);
  }
}
