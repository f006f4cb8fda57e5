// Notifies systemd, and stores descriptors there for the next process: sd_notify(3), sd_listen_fds(3),
// sd_watchdog_enabled(3). Every function does nothing without systemd.
#ifndef DAGMOUNT_SYSTEMD_H
#define DAGMOUNT_SYSTEMD_H

#include <stdbool.h>
#include <stdint.h>

// Removes systemd's variables from the environment: they are for this process alone. Calls `take` with each descriptor
// that systemd kept from an earlier process; `take` owns it.
void systemd_begin(void (*take)(const char* name, int fd));

// Sends lines of "NAME=value". Blocks for a second at most.
void systemd_say(const char* lines);

// Stores a descriptor in systemd, so that it outlives this process. Replaces the descriptor of that name.
void systemd_store(const char* name, int fd);

void systemd_forget(const char* name);

// From here to READY=1 systemd shows the service as reloading.
void systemd_reloading(void);

// Must be called in every turn of the loop. Notifies systemd's watchdog in time, if `well`.
void systemd_watch(bool well);

// Whether systemd sent this signal to restart the service. Then this process ends, and leaves the stored descriptors to
// the next one.
bool systemd_restarts_by(int signal);

#endif
