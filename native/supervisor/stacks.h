// Where the threads of a process are in the kernel.
#pragma once
#include <stddef.h>
#include <sys/types.h>

// One line, without its end: of each thread its id, name, state (R: it computes, D: it waits for a device) and what it waits
// in, innermost first. The kernel tells root the whole way there, others the innermost, if that.
void stacks_of(pid_t pid, char* text, size_t size);
