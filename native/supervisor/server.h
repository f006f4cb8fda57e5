// The process of a server, or of a candidate beside it: started, watched, spoken to, ended. docs/takeover.md has what the two
// sides say.
#pragma once
#include "machine.h"
#include <sys/types.h>

enum { MESSAGE_BYTES = PATH_MAX + 64, MOST_MESSAGE_FDS = 8 };

typedef struct {
  pid_t pid;    // 0: there is none
  int channel;  // the server's messages arrive here; -1 where the server has closed its end
  int orders;   // lines to the server
  bool has_exited;
  int exit_status;  // as waitpid(2) has it, once it has exited
} server_process;

#define NO_SERVER ((server_process){.channel = -1, .orders = -1})

typedef struct {
  char** program;
  int restarts;
  const char* reason;  // why there is another server
  bool stands_by;      // it waits for the order "go"
  bool is_standby;     // for when the other one dies; shows in the process list as dagmount-standby
  int badness;         // oom_score_adj
} server_start_options;

typedef struct {
  char text[MESSAGE_BYTES];  // a zero ends it
  size_t length;
  size_t fd_count;  // of `fds`
  int fds[MOST_MESSAGE_FDS];
} server_message;

bool server_start(server_process* server, const server_start_options* options);
// Whether it is of no use any more, though its threads may still be there.
bool server_is_dead(const server_process* server);
// Collects the exit status of all children that have ended.
void server_reap(server_process* servers[], int count);
// Kills it, and waits a moment for its threads to be gone; one of them may hang, and is not waited for.
void server_kill(server_process* server);
void server_describe_end(const server_process* server, char* text, size_t size);
// How the server ended, into `event`.
void server_tell_end(server_process* server, event* event);
// Ends this process by the exit code, or the signal, that ended the server.
void server_end_alike(const server_process* server);
// One message; false where there is none. Never waits. The caller owns the descriptors.
bool server_hear(server_process* server, server_message* message);
// A line of up to 4,096 bytes. Never waits: what a full socket does not take is lost.
void server_order(const server_process* server, const char* order, const char* why);
// Gives the main thread of a server that stood by the priority of one that readers wait for; the others follow by themselves.
void server_raise(const server_process* server);
// For an adopting supervisor: as nice as the one before, whatever the server that starts it is.
void take_usual_nice(void);
void server_close(server_process* server);

// The out-of-memory killer's adjustment of this process; a lower one takes privileges.
void set_badness(int value);
int badness(void);
