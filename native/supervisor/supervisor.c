// dagmount-supervisor PROGRAM [ARGUMENT...]: runs a server, keeps the file descriptors that it hands over, and starts
// another server with them when it dies. The supervisor never touches the mount.
//
// dagmount-supervisor --adopt PID SOCKET ORDERS TIMES PROGRAM [ARGUMENT...]: for a server whose supervisor is gone.
//
// This file reports events to the state machine (machine.h), and carries out its actions. docs/takeover.md lists the
// messages between supervisor and server.
#include "holding.h"
#include "log.h"
#include "machine.h"
#include "messages.h"
#include "server.h"
#include "stacks.h"
#include "store.h"
#include "systemd.h"
#include "threads.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

// LONGEST_STEP_MS: if more time passed between two polls, this process was stopped, and the excess does not count as
// waiting for the server.
// SOON_MS: after a thread of the server has exited, this process looks every millisecond for so long whether the server
// is dead.
enum { LOOK_MS = 20, SOON_MS = 20, LONGEST_STEP_MS = 1000, EX_OSERR = 71, EX_USAGE = 64, EX_TEMPFAIL = 75, EX_CONFIG = 78 };

static server_process server = NO_SERVER, candidate = NO_SERVER;
static server_start_options how = {.reason = ""};
static machine state;
static thread_watch watched = NO_WATCH;
static char threads[4096];

static uint64_t now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static bool start_candidate(const action* action) {
  server_start_options options = how;
  options.restarts = action->number, options.reason = action->text;
  options.stands_by = true, options.is_standby = action->kind == START_STANDBY;
  return server_start(&candidate, &options);
}

static bool start_server(const action* action) {
  server_close(&server);
  how.restarts = action->number, how.reason = action->text;
  return server_start(&server, &how);
}

// The candidate replaces the server, which is gone.
static void promote(void) {
  server_close(&server);
  server = candidate;
  candidate = NO_SERVER;
  server_raise(&server);
}

// The file that aborts the connection. It is opened as soon as a server names it: after the end of the connection, the
// path may be that of another mount, while a write to the open file aborts nothing.
static struct {
  int fd, error;
} abort_file = {.fd = -1, .error = ENOENT};

static void open_abort_file(const char* path) {
  if (abort_file.fd >= 0) close(abort_file.fd);
  abort_file.fd = open(path, O_WRONLY | O_CLOEXEC);
  abort_file.error = abort_file.fd >= 0 ? 0 : errno;
}

// Aborts the connection, so that readers get an error. Closing the device would not be enough if a thread of a dead
// server hangs in the kernel with the device open.
static void abort_connection(const char* path) {
  if (store_is_connected("fuse")) {
    const bool is_named = path[0] != '\0';
    const bool aborted = abort_file.fd >= 0 && write(abort_file.fd, "1", 1) == 1;
    const int error = abort_file.fd >= 0 ? errno : abort_file.error;
    // ENOENT: no server has named the file, or fusectl is not mounted here, as in a container.
    if (!aborted && (error != ENOENT || !is_named))
      log_failure("readers-not-freed", "waiting requests cannot be ended", is_named ? path : NULL, error);
  }
  store_forget("fuse");
}

static void handle(const event* event, int* fd);

// `fd`: the descriptor that came with the message; -1 once it is stored.
static void perform(const action* action, int* fd) {
  switch (action->kind) {
    case KEEP:
      store_keep(action->text, *fd);
      *fd = -1;
      break;
    case FORGET: store_forget(action->text); break;
    case PASS_NOTICE: systemd_say(action->text); break;
    case TELL_WAITING: systemd_say("STATUS=The server ended: waiting for a new one"); break;
    case TELL_RELOADING: systemd_reloading(); break;
    case TELL_READY: systemd_say("READY=1"); break;
    case TELL_STOPPING: systemd_say("STOPPING=1"); break;
    case START_SERVER:
      if (!start_server(action)) handle(&(event){.kind = SERVER_NOT_STARTED, .text = ""}, NULL);
      break;
    case START_STANDBY:
    case START_REPLACEMENT:
      if (!start_candidate(action)) handle(&(event){.kind = CANDIDATE_NOT_STARTED, .text = ""}, NULL);
      break;
    case RECORD_THREADS: stacks_of(server.pid, threads, sizeof threads); break;
    case KILL_SERVER: server_kill(&server); break;
    case DROP_CANDIDATE:
      server_kill(&candidate);
      server_close(&candidate);
      break;
    case PROMOTE: promote(); break;
    case ORDER_HAND_OVER: server_order(&server, "hand-over", ""); break;
    case ORDER_GO: server_order(&server, "go", action->text); break;
    case ORDER_STUCK: server_order(&server, "stuck", threads); break;
    case ORDER_DROPPED: server_order(&server, "dropped", action->text); break;
    case SEND_SIGNAL:
      // The server may just have failed to start, which leaves pid 0; kill(0) would signal this process, too.
      if (server.pid > 0) kill(server.pid, action->number);
      break;
    case ABORT_CONNECTION: abort_connection(action->text); break;
    case END_AS_SERVER: server_end_alike(&server); break;
    case END_WELL: _exit(0);
    case END_AS_TERMINATED: _exit(128 + SIGTERM);
    case BEGIN_CONNECTION:
    case SET_DEADLINE: open_abort_file(action->text); break;
    // The machine itself carries out these actions.
    case NOTHING:
    case NOTE_ALIVE:
    case HOLD_SIGNAL:
    case SEND_HELD:
    case SEND_HELD_ENDING:
    case END_HANDOVER:
    case PAUSE:
    case PAUSE_FOR_FORK:
    case WATCH_CLOSED:
    case ACTION_COUNT: break;
  }
}

static void perform_all(const action_list* actions, int* fd) {
  for (size_t i = 0; i < actions->count; i++) perform(&actions->list[i], fd);
}

static void handle(const event* event, int* fd) {
  action_list actions = {.count = 0};
  machine_handle(&state, event, &actions);
  perform_all(&actions, fd);
}

static void receive(server_process* from) {
  static server_message message;
  while (server_hear(from, &message)) {
    const event said = event_of_message(message.text, message.length, message.fd_count, from == &candidate);
    handle(&said, &message.fds[0]);
    for (size_t i = 0; i < message.fd_count; i++)
      if (message.fds[i] >= 0) close(message.fds[i]);
  }
}

static void receive_all(void) {
  const bool was_open = server.channel >= 0;
  receive(&server);
  if (was_open && server.channel < 0) handle(&(event){.kind = SERVER_CLOSED, .text = ""}, NULL);
  receive(&candidate);
}

static void heed_signals(int signals) {
  struct signalfd_siginfo info;
  while (read(signals, &info, sizeof info) == sizeof info) {
    const int signal = (int)info.ssi_signo;
    event asked = {.kind = END_ASKED, .text = "", .signal = signal};
    if (signal == SIGCHLD) continue;
    if (signal == SIGUSR2) asked.kind = RESTART_ASKED;
    if (signal == SIGHUP) asked.kind = HUNG_UP;
    if (signal == SIGUSR1) {
      // Not passed to the server: SIGUSR1 would make Node.js open its debugger to every user of this host.
      if (!systemd_restarts_by(signal) && !holding_holds()) continue;
      asked.kind = LEAVE_ASKED, asked.signal = SIGTERM;
    }
    handle(&asked, NULL);
  }
}

// `is_soon`: whether a thread of the server has just exited.
static void look_for_deaths(bool is_soon) {
  char end[sizeof state.reason];
  server_reap((server_process*[]){&server, &candidate}, 2);
  // Freeing the memory of a server takes some 10 ms, for which readers need not wait.
  const bool is_exiting = server.pid != 0 && is_soon && machine_has_successor(&state) && server_is_exiting(&server);
  if (server.pid != 0 && (is_exiting || server_is_dead(&server))) {
    receive_all();  // its last messages, after which there may be no successor any more
    if (machine_has_successor(&state)) server_kill_soon(&server);
    else server_kill(&server);
    event died = {.kind = SERVER_DIED, .text = end};
    server_tell_end(&server, &died);
    server_describe_end(&server, end, sizeof end);
    handle(&died, NULL);
    if (state.server == RESTING) server_close(&server);
  }
  // A candidate counts as dead only once all of its threads are gone and its exit status is known. No reader waits for
  // it.
  if (candidate.pid != 0 && candidate.has_exited) {
    server_describe_end(&candidate, end, sizeof end);
    handle(&(event){.kind = CANDIDATE_DIED, .text = end}, NULL);
  }
}

static void pass_time(uint64_t step_ms) {
  action_list actions = {.count = 0};
  machine_pass_time(&state, step_ms, &actions);
  perform_all(&actions, NULL);
  if (state.server == RESTING && server.pid != 0) server_close(&server);
}

static int open_signals(void) {
  const int all[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
  sigset_t heeded;
  sigemptyset(&heeded);
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) sigaddset(&heeded, all[i]);
  sigprocmask(SIG_BLOCK, &heeded, NULL);
  signal(SIGPIPE, SIG_IGN);  // the reader of stderr, or of the notices, may be gone
  return signalfd(-1, &heeded, SFD_CLOEXEC | SFD_NONBLOCK);
}

// Ends this process if the holder does not give it the mount.
static void begin_holding(bool adopts) {
  const holding_start began = holding_begin(!adopts, store_inherit);
  if (began == BEGUN || began == NOT_HELD) return;
  const char* path = getenv("DAGMOUNT_HOLD");
  if (began == ELSEWHERE) log_failure("held-elsewhere", "another process has the mount, or the holder does not answer", path, EBUSY);
  else log_failure("hold-malformed", "DAGMOUNT_HOLD or DAGMOUNT_HOLD_KEY is malformed", path, EINVAL);
  exit(began == ELSEWHERE ? EX_TEMPFAIL : EX_CONFIG);
}

static void begin(int count, char** arguments) {
  machine_start start = {.adopts = count > 6 && strcmp(arguments[1], "--adopt") == 0};
  how.program = arguments + (start.adopts ? 6 : 1);
  if (start.adopts) {
    server = (server_process){.pid = atoi(arguments[2]), .channel = atoi(arguments[3]), .orders = atoi(arguments[4])};
    start.restarts = atoi(arguments[5]);
    fcntl(server.orders, F_SETFD, FD_CLOEXEC);
    take_usual_nice();
    start.is_well = fcntl(server.channel, F_SETFD, FD_CLOEXEC) == 0;
  }
  const char* watchdog = getenv("DAGMOUNT_WATCHDOG_MS");
  if (watchdog != NULL && atoll(watchdog) > 0) start.watchdog_ms = (uint64_t)atoll(watchdog);
  systemd_begin(store_inherit);
  begin_holding(start.adopts);
  start.has_connection = store_has("fuse");
  state = machine_begin(start);
  how.restarts = state.restarts, how.reason = state.reason;
}

int main(int count, char** arguments) {
  if (count < 2) return dprintf(2, "usage: dagmount-supervisor PROGRAM [ARGUMENT...]\n"), EX_USAGE;
  begin(count, arguments);
  const int signals = open_signals();
  how.badness = badness();
  set_badness(-900);
  if (signals < 0 || (server.pid == 0 && !server_start(&server, &how)))
    return log_failure("supervisor-failed", "the supervisor cannot start", NULL, errno), EX_OSERR;
  uint64_t soon_until = 0;
  for (uint64_t before = now_ms();; before = now_ms()) {
    struct pollfd ready[3 + MOST_WATCHED] = {{.fd = signals, .events = POLLIN}, {.fd = server.channel, .events = POLLIN},
        {.fd = candidate.channel, .events = POLLIN}};
    threads_watch(&watched, state.server == SERVING ? server.pid : 0);
    threads_poll(&watched, ready + 3);
    poll(ready, 3 + MOST_WATCHED, before < soon_until ? 1 : LOOK_MS);
    if (threads_exited(&watched, ready + 3)) soon_until = now_ms() + SOON_MS;
    receive_all();
    heed_signals(signals);
    look_for_deaths(now_ms() < soon_until);
    const uint64_t step = now_ms() - before;
    systemd_watch(machine_is_well(&state));
    holding_watch(store_hold_all);
    pass_time(step > LONGEST_STEP_MS ? LONGEST_STEP_MS : step);
  }
}
