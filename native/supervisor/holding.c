#include "holding.h"
#include "fd-message.h"
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// WAIT_MS: how long to wait for the holder's answer, and for another process of this mount that is just ending.
enum { KEY_LENGTH = 64, WAIT_MS = 5000, PAUSE_MS = 50, AGAIN_MS = 1000, MESSAGE_BYTES = 256 };

static const char *path, *key;
static int holder = -1;
static uint64_t tried_ms;

static uint64_t now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static void disconnect(void) {
  if (holder >= 0) close(holder);
  holder = -1;
}

static void send_to_holder(const char* text, int fd) {
  // After a failure, everything is sent again over the next connection.
  if (holder >= 0 && !send_fd_message(holder, text, fd)) disconnect();
}

// Connects, and names the mount. Never blocks.
static void connect_to_holder(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char greeting[MESSAGE_BYTES];
  tried_ms = now_ms();
  memcpy(address.sun_path, path, strlen(path));
  holder = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (holder < 0) return;
  if (connect(holder, (struct sockaddr*)&address, sizeof address) != 0) {
    const int why = errno;
    disconnect();
    errno = why;
    return;
  }
  snprintf(greeting, sizeof greeting, "HOLD=1\nKEY=%s", key);
  send_to_holder(greeting, -1);
}

static bool is_ready(void (*take)(const char* name, int fd), uint64_t until_ms) {
  static const char stored[] = "FDSTORE=1\nFDNAME=";
  char text[MESSAGE_BYTES];
  int fds[MOST_RECEIVED_FDS];
  size_t count;
  for (receipt got; (got = receive_fd_message(holder, text, sizeof text, fds, &count)) != GOT_END;) {
    if (got == GOT_MESSAGE && count == 0 && strcmp(text, "READY=1") == 0) return true;
    const bool is_stored = count == 1 && strncmp(text, stored, sizeof stored - 1) == 0;
    if (is_stored) take(text + sizeof stored - 1, fds[--count]);
    while (count > 0) close(fds[--count]);
    if (got == GOT_MESSAGE) continue;
    const uint64_t now = now_ms();
    if (now >= until_ms) return false;
    poll(&(struct pollfd){.fd = holder, .events = POLLIN}, 1, (int)(until_ms - now));
  }
  return false;
}

holding_start holding_begin(bool waits, void (*take)(const char* name, int fd)) {
  const char *given_path = getenv("DAGMOUNT_HOLD"), *given_key = getenv("DAGMOUNT_HOLD_KEY");
  if (given_path == NULL || given_path[0] == '\0') return NOT_HELD;
  if (strlen(given_path) >= sizeof(((struct sockaddr_un*)NULL)->sun_path) || given_key == NULL ||
      strlen(given_key) != KEY_LENGTH || strspn(given_key, "0123456789abcdef") != KEY_LENGTH)
    return MALFORMED;
  // Copies both values, because the environment of this process is changed for that of the server.
  path = strdup(given_path), key = strdup(given_key);
  if (!waits) return NOT_HELD;
  for (const uint64_t until_ms = now_ms() + WAIT_MS; now_ms() < until_ms;) {
    connect_to_holder();
    if (holder < 0 && (errno == ENOENT || errno == ECONNREFUSED)) return NOT_HELD;
    if (holder >= 0 && is_ready(take, until_ms)) return BEGUN;
    disconnect();
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000}, NULL);
  }
  return ELSEWHERE;
}

void holding_store(const char* name, int fd) {
  char text[MESSAGE_BYTES];
  snprintf(text, sizeof text, "FDSTORE=1\nFDNAME=%s", name);
  send_to_holder(text, fd);
}

void holding_forget(const char* name) {
  char text[MESSAGE_BYTES];
  snprintf(text, sizeof text, "FDSTOREREMOVE=1\nFDNAME=%s", name);
  send_to_holder(text, -1);
}

// Closes the descriptors that the holder sends. To a client that connects again it sends all descriptors that it holds,
// and this process has them already.
static void drain(void) {
  char text[MESSAGE_BYTES];
  int fds[MOST_RECEIVED_FDS];
  size_t count;
  for (receipt got = GOT_MESSAGE; got == GOT_MESSAGE;) {
    got = receive_fd_message(holder, text, sizeof text, fds, &count);
    while (count > 0) close(fds[--count]);
    if (got == GOT_END) disconnect();
  }
}

void holding_watch(void (*store_all)(void)) {
  if (path == NULL) return;
  if (holder >= 0) drain();
  if (holder >= 0 || now_ms() - tried_ms < AGAIN_MS) return;
  connect_to_holder();
  store_all();
}

bool holding_holds(void) { return holder >= 0; }
