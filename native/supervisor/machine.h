// The supervisor's decisions: a table of states and events (transitions.c), without a system call. supervisor.c reports
// events and carries out the actions. docs/takeover.md has the same table; test/takeover/machine.test.ts compares the
// two tables, and walks every state through every event.
#pragma once
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NAME_BYTES = 32, MOST_ACTIONS = 16 };

// Time limits in milliseconds. HANDOVER: for a server to complete its current work. START: for a server to make a new
// mount. SILENCE: for a server that closed its socket to die, and for a dead server's exit status to arrive.
// STANDBY_PAUSE: from the failure of a standby to the next start of one. FORK_PAUSE: after a failed fork.
enum { FIRST_PAUSE_MS = 100, LONGEST_PAUSE_MS = 5000, LONGEST_START_MS = 60000, LONGEST_HANDOVER_MS = 5000 };
enum { LONGEST_SILENCE_MS = 1000, STANDBY_PAUSE_MS = 10000, FORK_PAUSE_MS = 1000 };

// States are bits, so that a row of the table can name several.
#define SERVER_STATES(X)                                                                        \
  X(STARTING, "starting") /* the server has not yet said that it is alive */                    \
  X(SERVING, "serving")   /* the server says again and again that it is alive */                \
  X(LEAVING, "leaving")   /* the server was ordered to hand over to the next supervisor */      \
  X(RESTING, "resting")   /* there is no server until the pause is over */                      \
  X(UNREAPED, "unreaped") /* the server is dead and gets no successor; its status is awaited */ \
  X(ENDED, "ended")       /* the supervisor ends */
#define CANDIDATE_STATES(X)                                                             \
  X(ABSENT, "none")                                                                     \
  X(STANDBY, "standby")           /* takes over when the server dies */                 \
  X(REPLACEMENT, "replacement")   /* a user or systemd asked for it; it is not ready */ \
  X(HANDING_OVER, "handing over") /* it is ready; the server completes its work */
#define CONNECTION_STATES(X)                                                                              \
  X(NO_CONNECTION, "none")                                                                                \
  X(KEPT, "kept")       /* readers depend on a server */                                                  \
  X(ABORTED, "aborted") /* readers got an error, and the next server makes a new mount */                 \
  X(REMADE, "remade")   /* kept again after it was aborted; its server has not yet said that it is alive */

#define EVENTS(X)                                                                                            \
  X(STORES_CONNECTION, "stores the connection")                                                              \
  X(STORES, "stores another descriptor")                                                                     \
  X(REMOVES_CONNECTION, "removes the connection")                                                            \
  X(REMOVES, "removes another descriptor")                                                                   \
  X(SETS_DEADLINE, "sets the deadline")                                                                      \
  X(IS_ALIVE, "server is alive")                                                                             \
  X(HAS_NOTICE, "server has a notice")                                                                       \
  X(WANTS_STANDBY, "server wants a standby")                                                                 \
  X(HAS_HANDED_OVER, "server has handed over")                                                               \
  X(STANDS_BY, "candidate stands by")                                                                        \
  X(MEANS_NOTHING, "malformed or unknown message")                                                           \
  X(RESTART_ASKED, "restart is asked for") /* RESTART=1 of the server, or SIGUSR2 */                         \
  X(END_ASKED, "SIGTERM, SIGINT, SIGQUIT")                                                                   \
  X(HUNG_UP, "SIGHUP")                                                                                       \
  X(LEAVE_ASKED, "SIGUSR1 of systemd")                                                                       \
  X(SERVER_DIED, "server died")                                                                              \
  X(SERVER_CLOSED, "server closed its socket")                                                               \
  X(SERVER_NOT_STARTED, "server cannot be started")                                                          \
  X(CANDIDATE_DIED, "candidate died")                                                                        \
  X(CANDIDATE_NOT_STARTED, "candidate cannot be started")                                                    \
  /* Events that the passing of time causes. */                                                              \
  X(SILENT, "server is silent")                                                                              \
  X(PAUSE_OVER, "pause is over")                                                                             \
  X(HANDOVER_OVER, "hand-over is over")                                                                      \
  X(CLOSED_OVER, "server lives on elsewhere")                                                                \
  X(UNREAPED_OVER, "no exit status came")                                                                    \
  X(CANDIDATE_LATE, "candidate is late")                                                                     \
  X(CANDIDATE_USELESS, "candidate has no connection")

#define GUARDS(X)                                                                 \
  X(ALWAYS, "")                                                                   \
  X(PAUSE_ENDED, "no standby failed within 10 s")                                 \
  X(SUCCESSOR_DUE, "successor is due")                                            \
  X(STATUS_KNOWN, "exit status is known")                                         \
  X(NOT_A_CHILD, "it is no child")                                                \
  X(DEADLINE_PASSED, "deadline has passed")                                       \
  X(DEADLINE_PASSED_AT_END, "deadline has passed, an ending signal is held")

#define ACTIONS(X)                                             \
  X(NOTHING, "")                                               \
  X(KEEP, "keep")                                              \
  X(FORGET, "forget")                                          \
  X(BEGIN_CONNECTION, "begin connection")                      \
  X(SET_DEADLINE, "set deadline")                              \
  X(NOTE_ALIVE, "reset clocks")                                \
  X(PASS_NOTICE, "tell systemd")                               \
  X(TELL_WAITING, "tell systemd that readers wait")            \
  X(TELL_RELOADING, "tell systemd of a reload")                \
  X(TELL_READY, "tell systemd that it is ready")               \
  X(TELL_STOPPING, "tell systemd of the end")                  \
  X(START_SERVER, "start server")                              \
  X(START_STANDBY, "start standby")                            \
  X(START_REPLACEMENT, "start replacement")                    \
  X(RECORD_THREADS, "record threads")                          \
  X(KILL_SERVER, "kill server")                                \
  X(DROP_CANDIDATE, "drop candidate")                          \
  X(PROMOTE, "promote candidate")                              \
  X(ORDER_HAND_OVER, "order hand-over")                        \
  X(ORDER_GO, "order go")                                      \
  X(ORDER_STUCK, "order stuck")                                \
  X(ORDER_DROPPED, "order dropped")                            \
  X(SEND_SIGNAL, "send signal")                                \
  X(HOLD_SIGNAL, "hold signal")                                \
  X(SEND_HELD, "send held signals")                            \
  X(SEND_HELD_ENDING, "send held ending signals")              \
  X(END_HANDOVER, "end hand-over")                             \
  X(PAUSE, "pause")                                            \
  X(PAUSE_FOR_FORK, "pause for 1 s")                           \
  X(WATCH_CLOSED, "await its end")                             \
  X(ABORT_CONNECTION, "abort connection")                      \
  X(END_AS_SERVER, "end as the server did")                    \
  X(END_WELL, "exit 0")                                        \
  X(END_AS_TERMINATED, "exit 143")

#define ORDINAL(name, text) name##_ORDINAL,
#define BIT_OF(name, text) name = 1 << name##_ORDINAL,
#define PLAIN(name, text) name,
enum { SERVER_STATES(ORDINAL) SERVER_STATE_COUNT };
enum { CANDIDATE_STATES(ORDINAL) CANDIDATE_STATE_COUNT };
enum { CONNECTION_STATES(ORDINAL) CONNECTION_STATE_COUNT };
typedef enum { SERVER_STATES(BIT_OF) } server_state;
typedef enum { CANDIDATE_STATES(BIT_OF) } candidate_state;
typedef enum { CONNECTION_STATES(BIT_OF) } connection_state;
typedef enum { EVENTS(PLAIN) EVENT_COUNT } event_kind;
typedef enum { GUARDS(PLAIN) GUARD_COUNT } guard_kind;
typedef enum { ACTIONS(PLAIN) ACTION_COUNT } action_kind;
#undef ORDINAL
#undef BIT_OF
#undef PLAIN

typedef enum { END_UNKNOWN, END_BY_CODE, END_BY_SIGNAL, END_OF_STRANGER } end_kind;

typedef struct {
  event_kind kind;
  char name[NAME_BYTES];  // of the descriptor
  // A notice for systemd, the path of the file that aborts the connection, or how a process ended.
  const char* text;
  uint64_t deadline_ms;
  int signal;
  end_kind end;
  int end_value;  // the exit code or the signal
} event;

// Texts are valid until the next event.
typedef struct {
  action_kind kind;
  const char* text;
  int number;  // the signal, or how often a server was started again
} action;

typedef struct {
  size_t count;
  action list[MOST_ACTIONS];
} action_list;

typedef struct {
  server_state server;
  candidate_state candidate;
  connection_state connection;
  bool has_served;      // a server has said that it is alive
  bool began_with_connection;  // the server began with a mount that readers wait for
  bool is_closed;       // the server closed its socket
  bool has_threads;     // the threads of a silent server were recorded, and no successor was told yet
  int passed_signal;    // the last ending signal that the server was sent; 0: none
  uint64_t held_signals;  // for the next server that can handle them: a bit for each signal
  int restarts;
  char reason[128];  // why the supervisor started another server: "<cause>: <text>"
  char abort_path[PATH_MAX];  // empty until a server names the file of this connection
  uint64_t watchdog_ms, deadline_ms;
  // `silent`: since the last sign of life. `down`: since readers have no live server, at a new mount since it was made.
  // `pause`: the length of the last pause between starts; `rest`: how much of it is left.
  uint64_t silent_ms, down_ms, closed_ms, handover_ms, unreaped_ms, candidate_ms, standby_pause_ms, pause_ms, rest_ms;
} machine;

typedef struct {
  bool adopts, is_well, has_connection;
  int restarts;
  uint64_t watchdog_ms;  // 0: the usual time
} machine_start;

machine machine_begin(machine_start start);
// Appends to `out`, which has room for all actions that one event, or one step of time, can cause.
void machine_handle(machine* machine, const event* event, action_list* out);
void machine_pass_time(machine* machine, uint64_t step_ms, action_list* out);
// Whether a kernel connection exists, so that readers depend on a server.
bool machine_has_connection(const machine* machine);
// Whether a candidate takes the place of a serving server that dies now, for readers that wait.
bool machine_has_successor(const machine* machine);
// For systemd's watchdog: whether the server is alive, or is starting within its time limit.
bool machine_is_well(const machine* machine);

// A row applies if each of its sets contains the current state; the first row that applies is used. A next state of 0
// means that the state stays.
typedef struct {
  event_kind event;
  unsigned servers, candidates, connections;
  guard_kind guard;
  server_state server;
  candidate_state candidate;
  connection_state connection;
  action_kind actions[6];
  const char* why;  // the reason for which the candidate is dropped; NULL: the text of the event
} transition;
extern const transition transitions[];
extern const size_t transition_count;
