#include "machine.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define BIT(signal) (UINT64_C(1) << (signal))
#define ENDING (BIT(SIGTERM) | BIT(SIGINT) | BIT(SIGQUIT))
// DEADLINE_MS: until a server sends the deadline of its settings.
enum { WATCHDOG_MS = 10000, DEADLINE_MS = 60000, MOST_SIGNALS = 64 };

machine machine_begin(machine_start start) {
  machine begun = {
      .server = start.adopts && start.is_well ? SERVING : STARTING,
      .candidate = ABSENT,
      .connection = start.has_connection ? KEPT : NO_CONNECTION,
      .has_served = start.adopts || start.has_connection,
      .restarts = start.has_connection ? 1 : start.restarts,
      .watchdog_ms = start.watchdog_ms > 0 ? start.watchdog_ms : WATCHDOG_MS,
      .deadline_ms = DEADLINE_MS,
      .pause_ms = FIRST_PAUSE_MS,
  };
  if (start.has_connection) snprintf(begun.reason, sizeof begun.reason, "service-restarted: the service was started again");
  return begun;
}

bool machine_has_connection(const machine* machine) { return (machine->connection & (KEPT | REMADE)) != 0; }

bool machine_has_successor(const machine* machine) {
  return machine_has_connection(machine) && machine->passed_signal == 0 && machine->server == SERVING &&
         machine->candidate != ABSENT;
}

bool machine_is_well(const machine* machine) {
  const bool is_up = (machine->server & (SERVING | LEAVING)) != 0;
  return is_up ? machine->silent_ms <= machine->watchdog_ms : machine->down_ms <= machine->deadline_ms;
}

// Whether the server ended deliberately: by itself, or by a signal that the supervisor sent to it. Node.js answers a
// second signal with exit code 128 + n. If no server has served yet, and this one began without a connection, any
// exit code counts, because it says why there is no mount.
static bool was_meant(const machine* machine, const event* event) {
  const bool says_why = !machine->has_served && !machine->began_with_connection;
  if (event->end == END_BY_CODE && (event->end_value == 0 || says_why)) return true;
  if (machine->passed_signal == 0) return false;
  return (event->end == END_BY_CODE && event->end_value == 128 + machine->passed_signal) ||
         (event->end == END_BY_SIGNAL && event->end_value == machine->passed_signal);
}

static bool holds(guard_kind guard, const machine* machine, const event* event) {
  const bool is_late = machine->down_ms > machine->deadline_ms;
  switch (guard) {
    case ALWAYS: return true;
    case PAUSE_ENDED: return machine->standby_pause_ms == 0;
    case SUCCESSOR_DUE:
      // An aborted mount is made again, unless its end was requested.
      return !was_meant(machine, event) &&
             (machine_has_connection(machine) || (machine->connection == ABORTED && machine->passed_signal == 0));
    case STATUS_KNOWN: return event->end == END_BY_CODE || event->end == END_BY_SIGNAL;
    case NOT_A_CHILD: return event->end == END_OF_STRANGER;
    case DEADLINE_PASSED: return is_late;
    case DEADLINE_PASSED_AT_END: return is_late && (machine->held_signals & ENDING) != 0;
    case GUARD_COUNT: break;
  }
  return false;
}

static void add(action_list* out, action_kind kind, const char* text, int number) {
  if (out->count < MOST_ACTIONS) out->list[out->count++] = (action){kind, text, number};
}

static void send_on(machine* machine, int signal, action_list* out) {
  if ((BIT(signal) & ENDING) != 0) {
    machine->passed_signal = signal;
    add(out, TELL_STOPPING, "", 0);
  }
  add(out, SEND_SIGNAL, "", signal);
}

static void send_held(machine* machine, uint64_t which, action_list* out) {
  for (int signal = 1; signal < MOST_SIGNALS; signal++) {
    if ((machine->held_signals & which & BIT(signal)) != 0) send_on(machine, signal, out);
  }
  machine->held_signals &= ~which;
}

static void drop_candidate(machine* machine, const char* why, action_list* out) {
  if (machine->candidate == ABSENT) return;
  add(out, DROP_CANDIDATE, "", 0);
  if (machine->candidate == STANDBY) {
    machine->standby_pause_ms = STANDBY_PAUSE_MS;
    return;
  }
  add(out, ORDER_DROPPED, why, 0);
  add(out, TELL_READY, "", 0);
}

// Prepares the state for another server. If the supervisor had sent an ending signal to the previous server, and that
// server died before it had ended properly, holds the signal: the new server gets it once it can handle signals.
static void begin_server(machine* machine) {
  machine->restarts++;
  machine->silent_ms = machine->closed_ms = 0;
  machine->is_closed = false;
  machine->began_with_connection = machine_has_connection(machine);
  if (machine->passed_signal != 0) machine->held_signals |= BIT(machine->passed_signal);
  machine->passed_signal = 0;
}

// Callers pass a longer pause each time that a server failed to start.
static void begin_pause(machine* machine, uint64_t pause_ms) {
  machine->pause_ms = pause_ms > LONGEST_PAUSE_MS ? LONGEST_PAUSE_MS : pause_ms;
  machine->rest_ms = machine->pause_ms;
}

static void perform(machine* machine, action_kind kind, const event* event, const char* why, action_list* out) {
  switch (kind) {
    case NOTHING:
    case ACTION_COUNT: return;
    case KEEP:
    case FORGET: return add(out, kind, event->name, 0);
    case BEGIN_CONNECTION:
      // No reader can wait before there is a mount, and a server may take any time until it makes one.
      machine->silent_ms = machine->down_ms = 0;
      // The file of the previous connection may by now be that of another mount: the kernel uses numbers again.
      machine->abort_path[0] = '\0';
      return add(out, kind, "", 0);
    case SET_DEADLINE:
      machine->deadline_ms = event->deadline_ms;
      snprintf(machine->abort_path, sizeof machine->abort_path, "%s", event->text);
      return add(out, kind, machine->abort_path, 0);
    case NOTE_ALIVE:
      machine->silent_ms = machine->down_ms = 0;
      machine->has_served = true;
      return;
    case PASS_NOTICE: return add(out, kind, event->text, 0);
    case START_SERVER:
      if (machine->server == SERVING) machine->pause_ms = 0;
      begin_server(machine);
      return add(out, kind, machine->reason, machine->restarts);
    case START_STANDBY:
    case START_REPLACEMENT:
      machine->candidate_ms = 0;
      return add(out, kind, kind == START_STANDBY ? "" : "restart-asked: it was asked to restart", machine->restarts + 1);
    case RECORD_THREADS: machine->has_threads = true; return add(out, kind, "", 0);
    case DROP_CANDIDATE: return drop_candidate(machine, why, out);
    case PROMOTE:
      begin_server(machine);
      machine->down_ms = 0;
      return add(out, kind, "", 0);
    case ORDER_HAND_OVER: machine->handover_ms = 0; return add(out, kind, "", 0);
    case ORDER_GO: return add(out, kind, machine->reason, 0);
    case ORDER_STUCK:
      if (machine->has_threads) add(out, kind, "", 0);
      machine->has_threads = false;
      return;
    case ORDER_DROPPED: return add(out, kind, why, 0);
    case SEND_SIGNAL: return send_on(machine, event->signal, out);
    case HOLD_SIGNAL: machine->held_signals |= BIT(event->signal); return;
    case SEND_HELD: return send_held(machine, UINT64_MAX, out);
    case SEND_HELD_ENDING: return send_held(machine, ENDING, out);
    case END_HANDOVER: machine->handover_ms = LONGEST_HANDOVER_MS; return;
    case PAUSE: return begin_pause(machine, machine->pause_ms == 0 ? FIRST_PAUSE_MS : machine->pause_ms * 2);
    case PAUSE_FOR_FORK:
      machine->restarts--;
      machine->rest_ms = FORK_PAUSE_MS;
      return;
    case WATCH_CLOSED: machine->is_closed = true; return;
    case ABORT_CONNECTION:
      machine->connection = ABORTED;  // before another server begins
      return add(out, kind, machine->abort_path, 0);
    case TELL_WAITING:
    case TELL_RELOADING:
    case TELL_READY:
    case TELL_STOPPING:
    case KILL_SERVER:
    case END_AS_SERVER:
    case END_WELL:
    case END_AS_TERMINATED: return add(out, kind, "", 0);
  }
}

// A reason begins with its cause, one of the words of docs/takeover.md.
static void note_reason(machine* machine, const event* event) {
  char* text = machine->reason;
  const size_t size = sizeof machine->reason;
  if (event->kind == HANDOVER_OVER) text[0] = '\0';
  else if (event->kind == SERVER_DIED) snprintf(text, size, "died: %s", event->text);
  else if (event->kind == SILENT && machine->server == SERVING)
    snprintf(text, size, "silent: it gave no sign of life for %llu ms", (unsigned long long)machine->watchdog_ms);
  else if (event->kind == SILENT) snprintf(text, size, "late: it did not come to serve in time");
}

void machine_handle(machine* machine, const event* event, action_list* out) {
  for (const transition* row = transitions; row < transitions + transition_count; row++) {
    if (row->event != event->kind || (row->servers & machine->server) == 0) continue;
    if ((row->candidates & machine->candidate) == 0 || (row->connections & machine->connection) == 0) continue;
    if (machine->server == ENDED || !holds(row->guard, machine, event)) continue;
    note_reason(machine, event);
    const char* why = row->why == NULL ? event->text : row->why;
    for (size_t i = 0; i < sizeof row->actions / sizeof *row->actions; i++)
      perform(machine, row->actions[i], event, why, out);
    if (row->server != 0) machine->server = row->server;
    if (row->candidate != 0) machine->candidate = row->candidate;
    if (row->connection != 0) machine->connection = row->connection;
    if (machine->server == UNREAPED && row->server == UNREAPED) machine->unreaped_ms = 0;
    return;
  }
}

static bool is_silent(const machine* machine) {
  if (!machine_has_connection(machine)) return false;
  if (machine->server == SERVING) return machine->silent_ms > machine->watchdog_ms;
  // For a mount that was made again, the limit counts from the mount, or from the start of a server that inherited it:
  // the readers of the old mount got an error.
  const bool is_late = machine->connection == REMADE ? machine->silent_ms > LONGEST_START_MS : machine->down_ms > machine->deadline_ms;
  return machine->server == STARTING && is_late;
}

static uint64_t less(uint64_t from, uint64_t what) { return from > what ? from - what : 0; }

static bool runs(const machine* machine) { return (machine->server & (STARTING | SERVING | LEAVING)) != 0; }

static void advance(machine* machine, uint64_t step_ms) {
  machine->standby_pause_ms = less(machine->standby_pause_ms, step_ms);
  if (runs(machine)) machine->silent_ms += step_ms;
  if ((machine->server & (STARTING | RESTING)) != 0) machine->down_ms += step_ms;
  if (machine->server == RESTING) machine->rest_ms = less(machine->rest_ms, step_ms);
  if (machine->server == UNREAPED) machine->unreaped_ms += step_ms;
  machine->closed_ms = runs(machine) && machine->is_closed ? machine->closed_ms + step_ms : 0;
  if (machine->candidate != ABSENT) machine->candidate_ms += step_ms;
  if (machine->server == LEAVING || machine->candidate == HANDING_OVER) machine->handover_ms += step_ms;
}

void machine_pass_time(machine* machine, uint64_t step_ms, action_list* out) {
  advance(machine, step_ms);
  const uint64_t late_ms = machine->deadline_ms > LONGEST_START_MS ? machine->deadline_ms : LONGEST_START_MS;
  event due = {.text = ""};
  // Events about the server come first. Only then are events about the candidate considered, if there still is one.
  due.kind = EVENT_COUNT;
  if (machine->closed_ms > LONGEST_SILENCE_MS) due.kind = CLOSED_OVER;
  else if (is_silent(machine)) due.kind = SILENT;
  else if (machine->server == RESTING && machine->rest_ms == 0) due.kind = PAUSE_OVER;
  else if (machine->server == UNREAPED && machine->unreaped_ms > LONGEST_SILENCE_MS) due.kind = UNREAPED_OVER;
  machine_handle(machine, &due, out);
  due.kind = EVENT_COUNT;
  if (machine->candidate != ABSENT && !machine_has_connection(machine)) due.kind = CANDIDATE_USELESS;
  else if (machine->candidate == REPLACEMENT && machine->candidate_ms > late_ms) due.kind = CANDIDATE_LATE;
  else if ((machine->server == LEAVING || machine->candidate == HANDING_OVER) && machine->handover_ms >= LONGEST_HANDOVER_MS)
    due.kind = HANDOVER_OVER;
  machine_handle(machine, &due, out);
}
