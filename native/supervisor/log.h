#pragma once

// Writes a line of the log to stderr: JSON, or words if stderr is a terminal. `file` may be NULL. Each event is declared
// in src/base/log-events/takeover.ts, and a test holds the two against each other.
void log_failure(const char* event, const char* message, const char* file, int error);
