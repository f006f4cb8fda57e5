// A server's process: how it is started, and whether it is still there.
//
// A server says to its supervisor, over a socket whose number is in DAGMOUNT_SUPERVISOR, in messages as sd_notify(3) has them:
//   FDSTORE=1\nFDNAME=<name>         with a descriptor: keep it, in the place of what has that name
//   FDSTOREREMOVE=1\nFDNAME=<name>   close it
//   WATCHDOG=1                       it is well
//   READY=1, STATUS=<text>           for systemd, where that runs this (systemd.h)
//   TAKEOVER=<ms> <path>             how long readers may wait for a server, and what ends their waiting when it is written to
//   RESTART=1                        as SIGUSR2
//   STANDBY=1                        it was started beside another one, and can take its place at once
//   HANDOVER=1                       it has ended what it was doing, and another one may take its place
//   SPARE=1                          all that it keeps is here: one may stand by beside it, for the time when it dies
// It is told, in lines over the socket "orders":
//   hand-over                        another one stands by: to be answered by HANDOVER=1
//   stuck <threads>                  where the threads were of the one before, which gave no sign of life
//   go <reason>                      it takes the other's place, which is gone
// One that readers wait for is started ahead of others (nice), where that is allowed, and goes back by itself to
// DAGMOUNT_SUPERVISOR_NICE.
//   dropped <reason>                 the other one could not be ready: it goes on
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct {
  pid_t pid;    // 0: there is none
  int channel;  // what it says, in messages; -1 where it has closed its end
  int orders;   // what it is told, in lines
  bool is_well, has_exited;
  int exit_status;     // as waitpid(2) has it, once it has exited
  uint64_t silent_ms;  // since it was started, or said last that it is well
} server_process;

#define NO_SERVER ((server_process){.channel = -1, .orders = -1})

typedef struct {
  char** program;
  int restarts;
  const char* reason;  // why there is another one
  bool stands_by;      // it is to wait until it is told to go on
  bool is_spare;       // that is for when the other one dies; it shows by its name
  int badness;         // oom_score_adj
} server_start_options;

bool server_start(server_process* server, const server_start_options* options);
// Whether it is of use no more, though perhaps not gone.
bool server_is_dead(const server_process* server);
// Of one that is no child, whose end says nothing.
bool server_is_gone(server_process* server);
// Takes note of children that have ended.
void server_reap(server_process* servers[], int count);
// Kills it and gives its threads a moment to be gone; one of them may hang, and is not waited for.
void server_kill(server_process* server);
void server_describe_end(const server_process* server, char* text, size_t size);
// Whether its end was meant: by itself, or by who sent a signal, once or twice (128 + n is Node.js' answer to the second).
// `passed_signal`: the last one that it was sent; 0: none. Where none before it has served, any end by itself: it says why
// there is no mount.
bool server_was_to_end(const server_process* server, int passed_signal, bool was_served);
// Ends this process by the exit code, or the signal, that ended the server.
void server_end_alike(const server_process* server);
// One message, ended by a zero, and the descriptor that came with it; false where there is none. Never waits.
bool server_hear(server_process* server, char* text, size_t size, int* fd);
// A line of up to 4,096 bytes; nothing waits for it to be heeded.
void server_order(const server_process* server, const char* order, const char* why);
// "go", to one that stands by, perhaps not quite: it goes before others from now on, as one does that is started again.
void server_go(const server_process* server, const char* why);
// Of another supervisor: nice as the one before was, whatever the server that starts it is.
void take_usual_nice(void);
// Closes what is left of it here.
void server_close(server_process* server);

// What the out-of-memory killer thinks of this process; to set it lower takes privileges.
void set_badness(int value);
int badness(void);
