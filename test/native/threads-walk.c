// Kills a process with threads and much memory. Prints what threads.c shows of it: alive or not, then whether a hint
// came, and the status, beside that of waitpid(2). Argument: "killed", or "exited" for an exit with code 0.
#include "../../native/supervisor/threads.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void* rest(void* nothing) {
  for (;;) pause();
  return nothing;
}

static void live(int ready, int go) {
  pthread_t thread;
  for (int i = 0; i < 5; i++) pthread_create(&thread, NULL, rest, NULL);
  char* memory = malloc(64 << 20);
  memset(memory, 1, 64 << 20);
  char byte = 1;
  if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1) _exit(1);
  exit(0);
}

int main(int count, char** arguments) {
  const bool is_killed = count > 1 && strcmp(arguments[1], "killed") == 0;
  int ready[2], go[2], status = 0, waited = 0;
  char byte;
  if (pipe(ready) != 0 || pipe(go) != 0) return 1;
  const pid_t pid = fork();
  if (pid == 0) live(ready[1], go[0]);
  if (read(ready[0], &byte, 1) != 1) return 1;
  thread_watch watch = NO_WATCH;
  struct pollfd polled[MOST_WATCHED];
  threads_watch(&watch, pid);
  threads_poll(&watch, polled);
  poll(polled, MOST_WATCHED, 0);
  printf("alive: hint %d, exiting %d, supported %d\n", threads_exited(&watch, polled), threads_are_exiting(pid, &status),
      watch.fds[0] >= 0);
  if (is_killed) kill(pid, SIGKILL);
  else if (write(go[1], &byte, 1) != 1) return 1;
  threads_poll(&watch, polled);
  poll(polled, MOST_WATCHED, 5000);
  const bool hint = threads_exited(&watch, polled);
  bool exiting = false;
  for (int tries = 0; tries < 5000 && !exiting && waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOHANG | WNOWAIT) == 0; tries++) {
    exiting = threads_are_exiting(pid, &status);
    siginfo_t ended = {0};
    waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT);
    if (ended.si_pid == pid && !exiting) {
      exiting = threads_are_exiting(pid, &status);
      break;
    }
    usleep(100);
  }
  waitpid(pid, &waited, 0);
  printf("dead: hint %d, exiting %d, status %d of %d\n", hint, exiting, status, waited);
  return 0;
}
