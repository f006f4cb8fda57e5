// Stores descriptors in a holder (native/holder), so that they outlive the supervisor: docs/takeover.md. Every function does
// nothing unless DAGMOUNT_HOLD and DAGMOUNT_HOLD_KEY are set.
#pragma once
#include <stdbool.h>

// NOT_HELD: there is no holder at the moment, which therefore holds nothing. ELSEWHERE: another process has the mount.
typedef enum { BEGUN, NOT_HELD, ELSEWHERE, MALFORMED } holding_start;

// Reads the variables. If `waits`, asks the holder for what it holds, and calls `take` with each descriptor; `take` owns it.
// Waits a while for another process of the mount to end. Without `waits`, holding_watch connects.
holding_start holding_begin(bool waits, void (*take)(const char* name, int fd));
void holding_store(const char* name, int fd);
void holding_forget(const char* name);
// Call this in every turn of the loop: if the holder is gone, it looks for another one, and has `store_all` store
// everything there.
void holding_watch(void (*store_all)(void));
// Whether what was stored outlives this process.
bool holding_holds(void);
