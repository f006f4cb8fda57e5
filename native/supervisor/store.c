#include "store.h"
#include "holding.h"
#include "systemd.h"
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  char name[NAME_BYTES];
  int fd;
} stored_fd;

static stored_fd stored[MOST_STORED];
static size_t stored_count;

static stored_fd* find(const char* name) {
  for (size_t i = 0; i < stored_count; i++)
    if (strcmp(stored[i].name, name) == 0) return &stored[i];
  return NULL;
}

bool store_has(const char* name) { return find(name) != NULL; }

bool store_is_connected(const char* name) {
  const stored_fd* entry = find(name);
  struct pollfd look = {.fd = entry == NULL ? -1 : entry->fd};
  return entry != NULL && (poll(&look, 1, 0) <= 0 || (look.revents & (POLLERR | POLLNVAL)) == 0);
}

static void let_go(const char* name) {
  stored_fd* entry = find(name);
  if (entry == NULL) return;
  close(entry->fd);
  *entry = stored[--stored_count];
}

static bool take(const char* name, int fd) {
  let_go(name);
  // The last slot is reserved for the connection, which the machine relies on.
  if (stored_count == MOST_STORED || (stored_count == MOST_STORED - 1 && strcmp(name, "fuse") != 0 && !store_has("fuse"))) {
    close(fd);
    return false;
  }
  snprintf(stored[stored_count].name, NAME_BYTES, "%s", name);
  stored[stored_count++].fd = fd;
  return true;
}

void store_forget(const char* name) {
  let_go(name);
  systemd_forget(name);
  holding_forget(name);
}

void store_keep(const char* name, int fd) {
  if (!take(name, fd)) return;
  systemd_store(name, fd);
  holding_store(name, fd);
}

void store_hold_all(void) {
  for (size_t i = 0; i < stored_count; i++) holding_store(stored[i].name, stored[i].fd);
}

void store_inherit(const char* name, int fd) {
  const size_t length = strlen(name);
  if (length > 0 && length < NAME_BYTES && strspn(name, "abcdefghijklmnopqrstuvwxyz-") == length) take(name, fd);
  else close(fd);
}

size_t store_pass_on(char* list, size_t size) {
  size_t length = 0;
  for (size_t i = 0; i < stored_count; i++) {
    fcntl(stored[i].fd, F_SETFD, 0);
    length += (size_t)snprintf(list + length, size - length, " %s=%d", stored[i].name, stored[i].fd);
  }
  return length;
}
