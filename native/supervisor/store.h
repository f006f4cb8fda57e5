// Keeps descriptors of the servers of this mount, by name, so that they outlive a server. Each server sends its
// descriptors to the supervisor, and the next server inherits them. Only the servers know what the descriptors are.
#pragma once
#include "machine.h"

enum { MOST_STORED = 16 };

bool store_has(const char* name);
// Whether the descriptor is kept and poll(2) reports no error for it. For the device of a connection that was unmounted
// or aborted, the kernel reports one.
bool store_is_connected(const char* name);
// Replaces the descriptor of that name, here, in systemd's store and in the holder. Takes ownership of the descriptor.
void store_keep(const char* name, int fd);
void store_forget(const char* name);
// Adds a descriptor that systemd or the holder kept from an earlier process. Closes it if its name is not a valid one.
void store_inherit(const char* name, int fd);
// Sends all descriptors to the holder, which has just been connected.
void store_hold_all(void);
// For a child process that is about to become a server: lets all kept descriptors stay open over execve(2), and writes
// a blank and `<name>=<descriptor>` for each of them to `list`, which has `size` bytes. Returns the number of bytes
// written.
size_t store_pass_on(char* list, size_t size);
