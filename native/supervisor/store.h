// The descriptors that servers hand over, by name. What they are is the servers' business.
#pragma once
#include "machine.h"

enum { MOST_STORED = 16 };

bool store_has(const char* name);
// Replaces what has that name, here and in systemd's store. Takes the descriptor over.
void store_keep(const char* name, int fd);
void store_forget(const char* name);
// A descriptor that systemd kept of a process before this one. One under a name that no server uses is closed.
void store_inherit(const char* name, int fd);
// For a child that is about to become a server: leaves the descriptors open over execve, and writes " <name>=<descriptor>"
// for each. Returns how many bytes.
size_t store_pass_on(char* list, size_t size);
