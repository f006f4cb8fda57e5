// Reads in which kernel functions the threads of a process are.
#pragma once
#include <stddef.h>
#include <sys/types.h>

// Writes one line without a newline: for each thread its id, name, state (R: computing, D: waiting for a device) and
// the kernel functions that it is in, innermost first. Root sees the whole stack, other users at most the innermost
// function.
void stacks_of(pid_t pid, char* text, size_t size);
