// Notifies systemd, and stores descriptors there for the process after this one: sd_notify(3), sd_listen_fds(3),
// sd_watchdog_enabled(3). Every function does nothing without systemd.
#ifndef DAGMOUNT_SYSTEMD_H
#define DAGMOUNT_SYSTEMD_H

#include <stdbool.h>
#include <stdint.h>

// Removes systemd's variables from the environment: they are for this process alone. `take` is called with each descriptor that
// systemd kept of an earlier process, and owns it.
void systemd_begin(void (*take)(const char* name, int fd));

// Lines of "NAME=value". Waits a second at most.
void systemd_say(const char* lines);

// Stores a descriptor in systemd, beyond the end of this process. Replaces the one of that name.
void systemd_store(const char* name, int fd);

void systemd_forget(const char* name);

// From here to READY=1 systemd shows the service as reloading.
void systemd_reloading(void);

// Call it in every turn of the loop: notifies systemd's watchdog in time, if `well`.
void systemd_watch(bool well);

// Whether systemd sent this signal to restart the service: the process ends, and leaves the stored descriptors to the next.
bool systemd_restarts_by(int signal);

#endif
