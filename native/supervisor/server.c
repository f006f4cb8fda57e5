#include "server.h"
#include "log.h"
#include "store.h"
#include "threads.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void set_badness(int value) {
  const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  dprintf(fd, "%d", value);
  close(fd);
}

int badness(void) {
  char text[16] = "0";
  const int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
  if (fd >= 0 && read(fd, text, sizeof text - 1) < 0) text[0] = '0';
  if (fd >= 0) close(fd);
  return atoi(text);
}

// The nice levels by which a starting server precedes other processes, which halves its start time if readers keep all
// processors busy. src/host/process-priority.ts does the same once it is loaded.
enum { AHEAD = 15 };
#define NICE "DAGMOUNT_SUPERVISOR_NICE"

void take_usual_nice(void) {
  const char* usual = getenv(NICE);
  if (usual != NULL) setpriority(PRIO_PROCESS, 0, atoi(usual));
}

static void become_server(const server_start_options* options, int channel, int orders) {
  char list[64 + (MOST_STORED + 1) * (NAME_BYTES + 12)];
  int length = snprintf(list, sizeof list, "%d %d orders=%d", channel, options->restarts, orders);
  fcntl(channel, F_SETFD, 0);
  fcntl(orders, F_SETFD, 0);
  store_pass_on(list + length, sizeof list - (size_t)length);
  setenv("DAGMOUNT_SUPERVISOR", list, 1);
  setenv("DAGMOUNT_SUPERVISOR_REASON", options->reason, 1);
  if (options->stands_by) setenv("DAGMOUNT_SUPERVISOR_STANDBY", options->is_standby ? "spare" : "1", 1);
  // The server gets its own process group. A terminal sends SIGINT to a whole group, and the supervisor passes it on:
  // in one group, the server would get it twice.
  setpgid(0, 0);
  set_badness(options->badness);
  const int usual = getpriority(PRIO_PROCESS, 0);
  snprintf(list, sizeof list, "%d", usual);
  setenv(NICE, list, 1);
  if (options->restarts > 0 && !options->stands_by) setpriority(PRIO_PROCESS, 0, usual - AHEAD);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  const char* file = options->program[0];
  if (options->is_standby) options->program[0] = "dagmount-standby";
  execvp(file, options->program);
  log_failure("server-not-started", "the program of the server cannot be run", file, errno);
  _exit(127);
}

bool server_start(server_process* server, const server_start_options* options) {
  int channel[2], orders[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) != 0) return false;
  const bool both = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, orders) == 0;
  const pid_t child = both ? fork() : -1;
  if (child == 0) become_server(options, channel[1], orders[1]);
  close(channel[1]);
  if (both) close(orders[1]);
  *server = (server_process){.pid = child, .channel = channel[0], .orders = both ? orders[0] : -1};
  if (child > 0) return true;
  server_close(server);
  return false;
}

static bool has_status(const server_process* server) { return server->has_exited || server->is_exiting; }

// waitpid(2) does not return a process while one of its threads hangs in the kernel (a notification that waits for a
// request that no server answers). The main thread is a zombie by then, and the supervisor treats that as death.
bool server_is_dead(const server_process* server) {
  if (has_status(server)) return true;
  char path[32], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)server->pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  // The file could not be opened for another reason (/proc hides the process by hidepid, or no descriptor is free): the
  // process may be alive.
  if (fd < 0) return errno == ENOENT && kill(server->pid, 0) < 0 && errno == ESRCH;
  const ssize_t got = read(fd, text, sizeof text - 1);
  close(fd);
  if (got <= 0) return got < 0 && errno == ESRCH;
  text[got] = '\0';
  const char* state = strrchr(text, ')');
  return state != NULL && (state[2] == 'Z' || state[2] == 'X');
}

void server_reap(server_process* servers[], int count) {
  int status;
  for (pid_t child; (child = waitpid(-1, &status, WNOHANG)) > 0;) {
    for (int i = 0; i < count; i++) {
      if (servers[i]->pid != child) continue;
      servers[i]->has_exited = true;
      servers[i]->exit_status = status;
    }
  }
}

// Kills the server. Returns once `is_over` holds, but waits for 10 ms at most: the other threads end a moment after the
// main thread, unless one of them hangs.
static void kill_until(server_process* server, bool (*is_over)(server_process* server)) {
  if (server->has_exited) return;
  kill(server->pid, SIGKILL);
  for (int tries = 0; !is_over(server) && tries < 10; tries++) nanosleep(&(struct timespec){0, 1000000}, NULL);
}

static bool is_reaped(server_process* server) {
  if (!server->has_exited) server->has_exited = waitpid(server->pid, &server->exit_status, WNOHANG) == server->pid;
  return server->has_exited;
}

bool server_is_exiting(server_process* server) {
  if (!is_reaped(server) && !server->is_exiting)
    server->is_exiting = threads_are_exiting(server->pid, &server->exit_status);
  return has_status(server);
}

void server_kill(server_process* server) { kill_until(server, is_reaped); }

void server_kill_soon(server_process* server) { kill_until(server, server_is_exiting); }

void server_describe_end(const server_process* server, char* text, size_t size) {
  const int status = server->exit_status;
  if (!has_status(server)) snprintf(text, size, "it was killed");
  else if (WIFSIGNALED(status))
    snprintf(text, size, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
  else snprintf(text, size, "exit code %d", WEXITSTATUS(status));
}

void server_tell_end(server_process* server, event* event) {
  event->end = END_UNKNOWN;
  if (!server->has_exited) {
    const pid_t child = waitpid(server->pid, &server->exit_status, WNOHANG);
    if (child == server->pid) server->has_exited = true;
    // A server that was adopted from another supervisor is not a child of this one.
    else if (child < 0 && errno == ECHILD) {
      event->end = END_OF_STRANGER;
      return;
    }
  }
  if (!has_status(server)) return;
  const int status = server->exit_status;
  event->end = WIFEXITED(status) ? END_BY_CODE : END_BY_SIGNAL;
  event->end_value = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
}

void server_end_alike(const server_process* server) {
  if (WIFSIGNALED(server->exit_status)) {
    const int signal = WTERMSIG(server->exit_status);
    prctl(PR_SET_DUMPABLE, 0);  // one core dump is enough
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigaction(signal, &action, NULL);
    sigset_t set;
    sigemptyset(&set), sigaddset(&set, signal);
    raise(signal);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    _exit(128 + signal);
  }
  _exit(WEXITSTATUS(server->exit_status));
}

// Takes ownership of all descriptors in a message, because a descriptor that nothing closes would leak.
static void take_fds(struct msghdr* header, server_message* message) {
  for (struct cmsghdr* each = CMSG_FIRSTHDR(header); each != NULL; each = CMSG_NXTHDR(header, each)) {
    if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (each->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count && message->fd_count < MOST_MESSAGE_FDS; i++)
      memcpy(&message->fds[message->fd_count++], CMSG_DATA(each) + i * sizeof(int), sizeof(int));
  }
}

bool server_hear(server_process* server, server_message* message) {
  union { struct cmsghdr header; char space[CMSG_SPACE(MOST_MESSAGE_FDS * sizeof(int))]; } control;
  struct iovec io = {.iov_base = message->text, .iov_len = sizeof message->text - 1};
  struct msghdr header = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  if (server->channel < 0) return false;
  message->fd_count = 0;
  const ssize_t got = recvmsg(server->channel, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (got <= 0) {
    close(server->channel);
    server->channel = -1;
    return false;
  }
  take_fds(&header, message);
  // A message that is too long was truncated and is discarded.
  message->length = (header.msg_flags & MSG_TRUNC) != 0 ? 0 : (size_t)got;
  message->text[message->length] = '\0';
  return true;
}

void server_order(const server_process* server, const char* order, const char* why) {
  char line[4200];
  const int length = snprintf(line, sizeof line, "%s %s\n", order, why);
  if (server->orders >= 0) send(server->orders, line, (size_t)length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void server_raise(const server_process* server) {
  setpriority(PRIO_PROCESS, (id_t)server->pid, getpriority(PRIO_PROCESS, 0) - AHEAD);
}

void server_close(server_process* server) {
  if (server->channel >= 0) close(server->channel);
  if (server->orders >= 0) close(server->orders);
  *server = NO_SERVER;
}
