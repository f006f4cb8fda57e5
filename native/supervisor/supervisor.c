// dagmount-supervisor PROGRAM [ARGUMENT...]: runs a server, keeps the file descriptors that it hands over, and
// starts it again with them when it dies. It never touches the mount.
// What a server says to it and is told by it: server.h.
// DAGMOUNT_SUPERVISOR is "<socket> <times started again> <name>=<descriptor> ...", DAGMOUNT_SUPERVISOR_REASON is why
// there is another one. As long as the descriptor "fuse" is kept, readers depend on it, and a server that ends in any
// other way than by exit code 0 has a successor; without it the server's end is that of this process.
//
// dagmount-supervisor --adopt PID SOCKET ORDERS TIMES PROGRAM [ARGUMENT...]: for a server whose supervisor is gone.
#include "kept.h"
#include "log.h"
#include "server.h"
#include "stacks.h"
#include "systemd.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// LONGEST_START_MS: for a server that makes a new mount.
enum { LOOK_MS = 20, LONGEST_PAUSE_MS = 5000, FIRST_PAUSE_MS = 100, LONGEST_START_MS = 60000 };
// How long a server may take to end what it is doing before another one takes its place.
enum { LONGEST_HANDOVER_MS = 5000 };
// A step of the clock that is longer than LONGEST_STEP_MS was spent stopped, not waiting for the server. SPARE_PAUSE_MS: after a
// spare that came to nothing, until there is another one.
enum { LONGEST_STEP_MS = 1000, SPARE_PAUSE_MS = 10000 };

// `next`: started beside the other one, to take its place; a spare one does so when that dies.
static server_process server = NO_SERVER, next = NO_SERVER;
static server_start_options how = {.reason = ""};
static int signals, passed_signal;
static uint64_t held_signals;  // a bit for each
#define BIT(signal) (UINT64_C(1) << (signal))
#define ENDING (BIT(SIGTERM) | BIT(SIGINT) | BIT(SIGQUIT))
static bool was_served, stands_by, is_spare, is_handing_over, leaves, gave_up;
static uint64_t spare_not_before, handing_over_ms, down_ms, left_ms, watchdog_ms = 10000, deadline_ms = 60000;
static char reason[128], stuck[4096], end_of_waiting[PATH_MAX];

static uint64_t now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static bool serves(void) { return kept_find("fuse") != NULL; }

static void drop_next(const char* why) {
  if (next.pid == 0) return;
  server_kill(&next);
  server_close(&next);
  if (is_spare) spare_not_before = now_ms() + SPARE_PAUSE_MS;
  else server_order(&server, "dropped", why), systemd_say("READY=1");
  stands_by = is_spare = is_handing_over = false;
}

// One that waits beside the server with all behind it that takes long.
static void start_spare(void) {
  if (next.pid != 0 || !serves() || now_ms() < spare_not_before) return;
  server_start_options options = how;
  options.restarts++, options.reason = "", options.stands_by = options.is_spare = true;
  is_spare = server_start(&next, &options);
}

static void restart_in_place(void) {
  // A new program, or new settings, may be what it is for.
  if (is_spare) drop_next("");
  if (next.pid != 0) return;
  if (!serves() || !server.is_well) return server_order(&server, "dropped", "this one does not serve yet");
  server_start_options options = how;
  options.restarts++, options.reason = "it was asked to restart", options.stands_by = true;
  stands_by = is_handing_over = false;
  if (!server_start(&next, &options)) server_order(&server, "dropped", "it cannot be started");
  else systemd_reloading();
}

// The next one goes on where the server, which is gone, was.
static void promote(const char* why) {
  server_close(&server);
  server = next;
  next = NO_SERVER;
  server.silent_ms = down_ms = 0;
  how.restarts++;
  stands_by = is_spare = is_handing_over = false;
  server_go(&server, why);
}

// What is kept is kept by systemd too, for the process after this one.
static void leave(void) {
  drop_next("the service is restarted");
  leaves = is_handing_over = true;
  handing_over_ms = server.is_well ? 0 : LONGEST_HANDOVER_MS;
  server_order(&server, "hand-over", "");
}

static void send_on(int signal) {
  if ((BIT(signal) & ENDING) != 0) {
    passed_signal = signal;
    systemd_say("STOPPING=1");
  }
  kill(server.pid, signal);
}

static void pass_on(int signal) {
  const bool ends = systemd_restarts_by(signal);
  // A server would take it for the wish to be debugged, by anybody on this host.
  if (signal == SIGUSR1 && !ends) return;
  if (signal == SIGUSR2 || (ends && serves())) {
    (ends ? leave : restart_in_place)();
    return;
  }
  if (ends) signal = SIGTERM;
  // What comes while nobody is there to heed it is kept: by default it would end a server that is just starting.
  if ((serves() || signal == SIGHUP) && (!server.is_well || is_handing_over)) held_signals |= BIT(signal);
  else send_on(signal);
}

static void heed(server_process* from, const char* message, int fd) {
  char name[NAME_BYTES] = "";
  const char* named = strstr(message, "FDNAME=");
  if (named != NULL) sscanf(named, "FDNAME=%31[a-z-]", name);
  if (strncmp(message, "FDSTORE=1", 9) == 0 && fd >= 0 && name[0] != '\0') {
    kept_keep(name, fd);
    // It has what was kept when it was started.
    if (is_spare) drop_next("");
    return;
  }
  if (fd >= 0) close(fd);
  if (strncmp(message, "SPARE=1", 7) == 0 && from == &server) start_spare();
  if (strncmp(message, "FDSTOREREMOVE=1", 15) == 0) kept_drop(name);
  if (strncmp(message, "TAKEOVER=", 9) == 0) sscanf(message, "TAKEOVER=%" SCNu64 " %4095[^\n]", &deadline_ms, end_of_waiting);
  if (strncmp(message, "RESTART=1", 9) == 0) restart_in_place();
  if (strncmp(message, "STANDBY=1", 9) == 0 && from == &next) stands_by = true;
  if ((strncmp(message, "READY=1", 7) == 0 || strncmp(message, "STATUS=", 7) == 0) && from == &server) systemd_say(message);
  if (strncmp(message, "HANDOVER=1", 10) == 0 && is_handing_over) handing_over_ms = LONGEST_HANDOVER_MS;
  if (strncmp(message, "WATCHDOG=1", 10) != 0) return;
  from->is_well = true;
  from->silent_ms = 0;
  if (from != &server) return;
  was_served = true;
  down_ms = 0;
  gave_up = false;
  for (int signal = 1; signal < 64 && !is_handing_over; signal++) {
    if ((held_signals >> signal & 1) != 0) send_on(signal);
    held_signals &= ~BIT(signal);
  }
}

// True where there may be more.
static bool receive(server_process* from) {
  char text[PATH_MAX + 64];
  int fd = -1;
  const bool said = server_hear(from, text, sizeof text, &fd);
  if (said) heed(from, text, fd);
  return said;
}

// No server came to be: readers get an error, and from now on a server makes a new mount in the place of theirs.
static void give_up(void) {
  const int fd = open(end_of_waiting, O_WRONLY | O_CLOEXEC);
  if (fd >= 0) {
    if (write(fd, "1", 1) < 0) log_failure("readers-not-freed", "waiting requests cannot be ended", end_of_waiting, errno);
    close(fd);
  }
  kept_drop("fuse");
  gave_up = true;
  // What was held for the server that did not come.
  if ((held_signals & ENDING) != 0) _exit(128 + SIGTERM);
}

// Starts a successor, later each time that none of them came to be well. Never waits for the one before to be gone.
static void succeed(bool silent) {
  static uint64_t pause = FIRST_PAUSE_MS;
  const bool was_well = server.is_well;
  if (silent) stacks_of(server.pid, stuck, sizeof stuck);
  server_kill(&server);
  if (silent && was_well) snprintf(reason, sizeof reason, "it gave no sign of life for %d ms", (int)watchdog_ms);
  else if (silent) snprintf(reason, sizeof reason, "it did not come to serve in time");
  else server_describe_end(&server, reason, sizeof reason);
  systemd_say("STATUS=The server ended: waiting for a new one");
  if (passed_signal != 0) held_signals |= BIT(passed_signal);
  passed_signal = 0;
  if (next.pid != 0) {
    promote(reason);
    if (silent) server_order(&server, "stuck", stuck);
    return;
  }
  pause = was_well ? 0 : pause == 0 ? FIRST_PAUSE_MS : pause * 2;
  if (pause > LONGEST_PAUSE_MS) pause = LONGEST_PAUSE_MS;
  const struct timespec rest = {(time_t)(pause / 1000), (long)(pause % 1000) * 1000000};
  nanosleep(&rest, NULL);
  down_ms += pause;
  if (serves() && down_ms > deadline_ms) give_up();
  server_close(&server);
  how.restarts++, how.reason = reason;
  while (!server_start(&server, &how)) nanosleep(&(struct timespec){1, 0}, NULL);
  if (silent) server_order(&server, "stuck", stuck);
}

static void look_after_server(uint64_t step) {
  const bool dead = server_is_dead(&server);
  server.silent_ms += step;
  if (!server.is_well) down_ms += step;
  // Readers of a mount that was made anew do not wait for the one that they had.
  const bool late = gave_up ? server.silent_ms > LONGEST_START_MS : down_ms > deadline_ms;
  const bool silent = !dead && serves() && (server.is_well ? server.silent_ms > watchdog_ms : late);
  if (leaves && (dead || (handing_over_ms += step) >= LONGEST_HANDOVER_MS)) server_kill(&server), _exit(0);
  // It has closed its end, and goes on: another one looks after it. Here nothing is left to be done.
  if (dead || server.channel >= 0) left_ms = 0;
  else if ((left_ms += step) > LONGEST_STEP_MS) drop_next(""), _exit(0);
  if (!dead && !silent) return;
  while (receive(&server)) continue;  // what it said last
  if (dead) server_kill(&server);  // how it ended is known when it is gone
  // Who asks for its end, and has no mount any more, gets it, whatever a server says that was just failing to start.
  const bool goes_on = serves() || (gave_up && passed_signal == 0);
  if (goes_on && !server_was_to_end(&server, passed_signal, was_served)) {
    succeed(silent);
    return;
  }
  drop_next("the mount is gone");
  static uint64_t hung_ms;  // a thread of it hangs in the kernel, and nobody depends on it any more
  if (server.has_exited) server_end_alike(&server);
  else if (server_is_gone(&server) || (hung_ms += step) > LONGEST_STEP_MS) _exit(0);
}

static void look_after_next(uint64_t step) {
  if (next.pid == 0) return;
  next.silent_ms += step;
  if (next.has_exited) {  // nobody waits for it: how it ended is known when the last of its threads is gone
    char why[sizeof reason];
    server_describe_end(&next, why, sizeof why);
    drop_next(why);
  } else if (!serves()) {
    drop_next("the mount is gone");
  } else if (is_spare) {
    return;
  } else if (!stands_by) {
    if (next.silent_ms > LONGEST_START_MS && next.silent_ms > deadline_ms) drop_next("it was not ready in time");
  } else if (!is_handing_over) {
    is_handing_over = true;
    handing_over_ms = 0;
    server_order(&server, "hand-over", "");
  } else if ((handing_over_ms += step) >= LONGEST_HANDOVER_MS) {
    server_kill(&server);
    promote("");
  }
}

int main(int count, char** arguments) {
  const bool adopts = count > 6 && strcmp(arguments[1], "--adopt") == 0;
  if (count < 2) return dprintf(2, "usage: dagmount-supervisor PROGRAM [ARGUMENT...]\n"), 64;
  how.program = arguments + (adopts ? 6 : 1);
  if (adopts) {
    server = (server_process){.pid = atoi(arguments[2]), .channel = atoi(arguments[3]), .orders = atoi(arguments[4])};
    how.restarts = atoi(arguments[5]);
    fcntl(server.orders, F_SETFD, FD_CLOEXEC), take_usual_nice();
    server.is_well = fcntl(server.channel, F_SETFD, FD_CLOEXEC) == 0;
  }
  const char* watchdog = getenv("DAGMOUNT_WATCHDOG_MS");
  if (watchdog != NULL && atoll(watchdog) > 0) watchdog_ms = (uint64_t)atoll(watchdog);
  systemd_begin(kept_inherit);
  was_served = adopts || serves();
  if (serves()) how.restarts = 1, how.reason = "the service was started again";
  signal(SIGPIPE, SIG_IGN);  // whoever read its words, or its notices, may be gone
  sigset_t heeded;
  sigemptyset(&heeded);
  const int all[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) sigaddset(&heeded, all[i]);
  sigprocmask(SIG_BLOCK, &heeded, NULL);
  signals = signalfd(-1, &heeded, SFD_CLOEXEC | SFD_NONBLOCK);
  how.badness = badness();
  set_badness(-900);
  if (signals < 0 || (!adopts && !server_start(&server, &how)))
    return log_failure("supervisor-failed", "the supervisor cannot start", NULL, errno), 71;
  server_process* both[] = {&server, &next};
  for (uint64_t before = now_ms(), now;; before = now_ms()) {
    struct pollfd ready[] = {{.fd = signals, .events = POLLIN}, {.fd = server.channel, .events = POLLIN},
        {.fd = next.channel, .events = POLLIN}};
    poll(ready, 3, LOOK_MS);
    for (int i = 0; i < 2; i++)
      while (receive(both[i])) continue;
    struct signalfd_siginfo info;
    while (read(signals, &info, sizeof info) == sizeof info)
      if (info.ssi_signo != SIGCHLD) pass_on((int)info.ssi_signo);
    server_reap(both, 2);
    now = now_ms();
    const uint64_t step = now - before > LONGEST_STEP_MS ? LONGEST_STEP_MS : now - before;
    systemd_watch(server.is_well ? server.silent_ms <= watchdog_ms : down_ms <= deadline_ms);
    look_after_server(step);
    look_after_next(step);
  }
}
