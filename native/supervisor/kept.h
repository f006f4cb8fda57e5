// The descriptors that a server hands over, by name. What they are is the servers' business.
#pragma once
#include <stddef.h>

enum { MOST_KEPT = 16, NAME_BYTES = 32 };

typedef struct {
  char name[NAME_BYTES];
  int fd;
} kept_fd;

// NULL where nothing of that name is kept.
const kept_fd* kept_find(const char* name);
// In the place of what has that name. Takes the descriptor over. Where systemd is, it is kept there too, as long.
void kept_keep(const char* name, int fd);
void kept_drop(const char* name);
// What systemd has kept of a process before this one: the names that servers use, no others.
void kept_inherit(const char* name, int fd);
// For a child that is about to become a server: leaves the descriptors open over execve, and writes " <name>=<descriptor>"
// for each. Returns how many bytes.
size_t kept_pass_on(char* list, size_t size);
