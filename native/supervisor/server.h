// Starts, watches, messages and ends the process of a server, or of a candidate beside it. docs/takeover.md lists the
// messages.
#pragma once
#include "machine.h"
#include <sys/types.h>

enum { MESSAGE_BYTES = PATH_MAX + 64, MOST_MESSAGE_FDS = 8 };

typedef struct {
  pid_t pid;    // 0: there is no process
  int channel;  // the server's messages arrive here; -1 where the server has closed its end
  int orders;   // lines to the server
  bool has_exited;  // waitpid(2) has returned it
  bool is_exiting;  // has_exited will follow, but its memory and descriptors are not free yet
  int exit_status;  // as waitpid(2) returns it, once the process is exiting or has exited
} server_process;

#define NO_SERVER ((server_process){.channel = -1, .orders = -1})

typedef struct {
  char** program;
  int restarts;
  const char* reason;  // why the supervisor starts another server
  bool stands_by;      // it waits for the order "go"
  bool is_standby;     // takes over only when the server dies; shows in the process list as dagmount-standby
  int badness;         // oom_score_adj
} server_start_options;

typedef struct {
  char text[MESSAGE_BYTES];  // a zero ends it
  size_t length;
  size_t fd_count;  // how many of `fds` are set
  int fds[MOST_MESSAGE_FDS];
} server_message;

bool server_start(server_process* server, const server_start_options* options);
// Whether the server can no longer serve, although some of its threads may still exist.
bool server_is_dead(const server_process* server);
// Collects the exit status of all children that have ended.
void server_reap(server_process* servers[], int count);
// Kills the server, and waits briefly for its threads to end. Does not wait for a thread that hangs in the kernel.
void server_kill(server_process* server);
// As server_kill(), but returns as soon as the server is exiting, before waitpid(2) returns it.
void server_kill_soon(server_process* server);
// Whether the server has only the memory and the descriptors to give back that its last thread frees. Its exit status is
// known then, and server_reap() removes the process later.
bool server_is_exiting(server_process* server);
void server_describe_end(const server_process* server, char* text, size_t size);
// Stores in `event` how the server ended.
void server_tell_end(server_process* server, event* event);
// Ends this process with the exit code, or by the signal, that ended the server.
void server_end_alike(const server_process* server);
// Receives one message; returns false if there is none. Never blocks. The caller owns the descriptors.
bool server_hear(server_process* server, server_message* message);
// Sends a line of up to 4,096 bytes. Never blocks: if the socket is full, the line is lost.
void server_order(const server_process* server, const char* order, const char* why);
// Gives the main thread of a standby the priority of a server that readers wait for; the process raises its other
// threads.
void server_raise(const server_process* server);
// For a supervisor that adopts a server: restores the nice value of the previous supervisor. A starting server may have
// another one, which this process has inherited.
void take_usual_nice(void);
void server_close(server_process* server);

// Sets the out-of-memory killer's adjustment (oom_score_adj) of this process. Lowering it requires privileges.
void set_badness(int value);
int badness(void);
