#include "kept.h"
#include "systemd.h"
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static kept_fd kept[MOST_KEPT];
static size_t kept_count;

static kept_fd* find(const char* name) {
  for (size_t i = 0; i < kept_count; i++)
    if (strcmp(kept[i].name, name) == 0) return &kept[i];
  return NULL;
}

const kept_fd* kept_find(const char* name) { return find(name); }

static void let_go(const char* name) {
  kept_fd* entry = find(name);
  if (entry == NULL) return;
  close(entry->fd);
  *entry = kept[--kept_count];
}

static bool take(const char* name, int fd) {
  let_go(name);
  if (kept_count == MOST_KEPT) {
    close(fd);
    return false;
  }
  snprintf(kept[kept_count].name, NAME_BYTES, "%s", name);
  kept[kept_count++].fd = fd;
  return true;
}

void kept_drop(const char* name) {
  let_go(name);
  systemd_forget(name);
}

void kept_keep(const char* name, int fd) {
  if (take(name, fd)) systemd_store(name, fd);
}

void kept_inherit(const char* name, int fd) {
  const size_t length = strlen(name);
  if (length > 0 && length < NAME_BYTES && strspn(name, "abcdefghijklmnopqrstuvwxyz-") == length) take(name, fd);
  else close(fd);
}

size_t kept_pass_on(char* list, size_t size) {
  size_t length = 0;
  for (size_t i = 0; i < kept_count; i++) {
    fcntl(kept[i].fd, F_SETFD, 0);
    length += (size_t)snprintf(list + length, size - length, " %s=%d", kept[i].name, kept[i].fd);
  }
  return length;
}
