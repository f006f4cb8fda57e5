#include "server.h"
#include "kept.h"
#include "log.h"
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

// As src/host/process-priority.ts has it, for the time before it is loaded: half of a start under readers that leave no processor idle.
enum { AHEAD = 15 };
#define NICE "DAGMOUNT_SUPERVISOR_NICE"

void take_usual_nice(void) {
  const char* usual = getenv(NICE);
  if (usual != NULL) setpriority(PRIO_PROCESS, 0, atoi(usual));
}

static void become_server(const server_start_options* options, int channel, int orders) {
  char list[64 + (MOST_KEPT + 1) * (NAME_BYTES + 12)];
  int length = snprintf(list, sizeof list, "%d %d orders=%d", channel, options->restarts, orders);
  fcntl(channel, F_SETFD, 0);
  fcntl(orders, F_SETFD, 0);
  kept_pass_on(list + length, sizeof list - (size_t)length);
  setenv("DAGMOUNT_SUPERVISOR", list, 1);
  setenv("DAGMOUNT_SUPERVISOR_REASON", options->reason, 1);
  if (options->stands_by) setenv("DAGMOUNT_SUPERVISOR_STANDBY", options->is_spare ? "spare" : "1", 1);
  // A terminal's signals reach it through its supervisor alone: two SIGINT would be one too many.
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
  if (options->is_spare) options->program[0] = "dagmount-standby";
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

// A process whose thread hangs in the kernel (a notification that waits for a request which nobody answers any more)
// cannot be waited for, and keeps every pipe and lock: but its leader is a zombie.
bool server_is_dead(const server_process* server) {
  if (server->has_exited) return true;
  char path[32], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)server->pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  // A process that /proc hides (hidepid), or that cannot be looked at for want of descriptors, may well be there.
  if (fd < 0) return errno == ENOENT && kill(server->pid, 0) < 0 && errno == ESRCH;
  const ssize_t got = read(fd, text, sizeof text - 1);
  close(fd);
  if (got <= 0) return got < 0 && errno == ESRCH;
  text[got] = '\0';
  const char* state = strrchr(text, ')');
  return state != NULL && (state[2] == 'Z' || state[2] == 'X');
}

bool server_is_gone(server_process* server) {
  const pid_t child = waitpid(server->pid, &server->exit_status, WNOHANG);
  // It may have ended since children were looked at last, and says just once how.
  if (child == server->pid) server->has_exited = true;
  return child < 0 && errno == ECHILD;
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

void server_kill(server_process* server) {
  if (server->has_exited) return;
  kill(server->pid, SIGKILL);
  // The other threads are gone a moment after the leader, unless one hangs.
  for (int tries = 0; !server->has_exited && tries < 10; tries++) {
    server->has_exited = waitpid(server->pid, &server->exit_status, WNOHANG) == server->pid;
    if (!server->has_exited) nanosleep(&(struct timespec){0, 1000000}, NULL);
  }
}

void server_describe_end(const server_process* server, char* text, size_t size) {
  const int status = server->exit_status;
  if (!server->has_exited) snprintf(text, size, "it was killed");
  else if (WIFSIGNALED(status))
    snprintf(text, size, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
  else snprintf(text, size, "exit code %d", WEXITSTATUS(status));
}

bool server_was_to_end(const server_process* server, int passed_signal, bool was_served) {
  if (!server->has_exited) return false;
  const int status = server->exit_status;
  if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || !was_served)) return true;
  if (passed_signal == 0) return false;
  return WIFEXITED(status) ? WEXITSTATUS(status) == 128 + passed_signal : WTERMSIG(status) == passed_signal;
}

void server_end_alike(const server_process* server) {
  if (WIFSIGNALED(server->exit_status)) {
    const int signal = WTERMSIG(server->exit_status);
    prctl(PR_SET_DUMPABLE, 0);  // one core is enough
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

bool server_hear(server_process* server, char* text, size_t size, int* fd) {
  union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control;
  struct iovec io = {.iov_base = text, .iov_len = size - 1};
  struct msghdr message = {
      .msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  if (server->channel < 0) return false;
  const ssize_t got = recvmsg(server->channel, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (got <= 0) {
    close(server->channel);
    server->channel = -1;
    return false;
  }
  text[got] = '\0';
  const struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != NULL && header->cmsg_type == SCM_RIGHTS) memcpy(fd, CMSG_DATA(header), sizeof *fd);
  return true;
}

void server_order(const server_process* server, const char* order, const char* why) {
  char line[4200];
  const int length = snprintf(line, sizeof line, "%s %s\n", order, why);
  if (server->orders >= 0) send(server->orders, line, (size_t)length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void server_go(const server_process* server, const char* why) {
  // Its main thread; the others by itself, when it reads the order.
  setpriority(PRIO_PROCESS, (id_t)server->pid, getpriority(PRIO_PROCESS, 0) - AHEAD);
  server_order(server, "go", why);
}

void server_close(server_process* server) {
  if (server->channel >= 0) close(server->channel);
  if (server->orders >= 0) close(server->orders);
  *server = NO_SERVER;
}
