// What systemd is told, and keeps for whoever comes after this process: sd_notify(3), sd_listen_fds(3),
// sd_watchdog_enabled(3). All of it is silent where systemd is not.
#ifndef DAGMOUNT_SYSTEMD_H
#define DAGMOUNT_SYSTEMD_H

#include <stdbool.h>
#include <stdint.h>

// Takes systemd's variables out of the environment: they are for this process, and for nothing that it starts.
// `take` is given each descriptor that systemd kept of a process before, and owns it.
void systemd_begin(void (*take)(const char* name, int fd));

// Lines of "NAME=value". Waits a second at most.
void systemd_say(const char* lines);

// Has it kept over the end of this process, in the place of what has that name.
void systemd_store(const char* name, int fd);

void systemd_forget(const char* name);

// From here to READY=1 systemd shows the service as reloading.
void systemd_reloading(void);

// To be called all the time; `well` keeps systemd's watchdog quiet.
void systemd_watch(bool well);

// Whether the process is to end and to leave what is kept to the next one.
bool systemd_restarts_by(int signal);

#endif
