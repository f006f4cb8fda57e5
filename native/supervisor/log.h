#pragma once

// Writes one log line to stderr: as JSON, or as plain words if stderr is a terminal. `file` may be NULL. Each event is
// declared in src/base/log-events/takeover.ts; a test compares the two.
void log_failure(const char* event, const char* message, const char* file, int error);
