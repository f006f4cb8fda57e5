// Stores descriptors in a holder (native/holder), so that they outlive the supervisor: docs/takeover.md. Every function does
// nothing unless DAGMOUNT_HOLD and DAGMOUNT_HOLD_KEY are set.
#pragma once
#include <stdbool.h>

// BEGUN: the holder has sent what it held for this mount. NOT_HELD: no holder is asked, or none listens at the moment.
// ELSEWHERE: another process has the mount, or the holder does not answer. MALFORMED: a variable is malformed.
typedef enum { BEGUN, NOT_HELD, ELSEWHERE, MALFORMED } holding_start;

// Reads the variables. If `waits`, asks the holder for its descriptors of this mount, and calls `take` with each of
// them; `take` owns it. Waits a while for another process of the mount to end. Without `waits`, only holding_watch
// connects.
holding_start holding_begin(bool waits, void (*take)(const char* name, int fd));
void holding_store(const char* name, int fd);
void holding_forget(const char* name);
// Must be called in every turn of the loop. If the holder is gone, looks for another one, and lets `store_all` store
// everything there.
void holding_watch(void (*store_all)(void));
// Whether a holder is connected, so that the stored descriptors outlive this process.
bool holding_holds(void);
