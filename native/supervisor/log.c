#include "log.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// Longer lines are truncated. Each line is one write(2), so that no line of the server can come between its parts.
#define LINE_BYTES 8192

typedef struct {
  char bytes[LINE_BYTES];
  size_t length;
} text;

static void append(text* line, const char* words) {
  const size_t room = sizeof line->bytes - line->length, length = strlen(words);
  memcpy(line->bytes + line->length, words, length < room ? length : room);
  line->length += length < room ? length : room;
}

// Bytes that are not ASCII are copied unchanged. If a path is not UTF-8, the reader of the log decides how to show it.
static void append_string(text* line, const char* words) {
  append(line, "\"");
  for (const char* at = words; *at != '\0' && line->length < LINE_BYTES / 2; at++) {
    char escaped[8];
    const unsigned char byte = (unsigned char)*at;
    if (byte < 0x20 || byte == 0x7f || byte == '"' || byte == '\\') snprintf(escaped, sizeof escaped, "\\u%04x", byte);
    else escaped[0] = *at, escaped[1] = '\0';
    append(line, escaped);
  }
  append(line, "\"");
}

static void append_field(text* line, const char* name, const char* value) {
  append(line, ",\"");
  append(line, name);
  append(line, "\":");
  append_string(line, value);
}

// Whether stderr goes to systemd's journal, which takes a number at the beginning of a line as its priority.
static bool is_journal(void) {
  const char* stream = getenv("JOURNAL_STREAM");
  struct stat about;
  char own[64];
  if (stream == NULL || fstat(STDERR_FILENO, &about) != 0) return false;
  snprintf(own, sizeof own, "%llu:%llu", (unsigned long long)about.st_dev, (unsigned long long)about.st_ino);
  return strcmp(stream, own) == 0;
}

void log_failure(const char* event, const char* message, const char* file, int error) {
  if (isatty(STDERR_FILENO)) {
    dprintf(STDERR_FILENO, "dagmount-supervisor: %s%s%s: %s\n", message, file == NULL ? "" : ": ", file == NULL ? "" : file,
        strerror(error));
    return;
  }
  struct timespec now;
  struct tm parts;
  char date[32] = "", time[48];
  clock_gettime(CLOCK_REALTIME, &now);
  if (gmtime_r(&now.tv_sec, &parts) != NULL) strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  snprintf(time, sizeof time, "%s.%03dZ", date, (int)(now.tv_nsec / 1000000));
  text line = {.length = 0};
  append(&line, is_journal() ? "<3>{\"level\":\"error\"" : "{\"level\":\"error\"");
  append_field(&line, "time", time);
  append_field(&line, "event", event);
  if (file != NULL) append_field(&line, "file", file);
  append_field(&line, "detail", strerror(error));
  append_field(&line, "msg", message);
  append(&line, "}\n");
  if (write(STDERR_FILENO, line.bytes, line.length) < 0) return;  // There is no other place to say it.
}
