#include "messages.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTION "fuse"
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyz-"

// The senders from which a message is accepted, as bits of `from`.
enum { SERVER = 1, CANDIDATE = 2 };

static const struct {
  const char* line;
  event_kind kind;
  int from;
} plain[] = {
    {"WATCHDOG=1", IS_ALIVE, SERVER},          {"RESTART=1", RESTART_ASKED, SERVER},
    {"HANDOVER=1", HAS_HANDED_OVER, SERVER},   {"STANDBY=1", STANDS_BY, CANDIDATE},
    {"SPARE=1", WANTS_STANDBY, SERVER},
};

static bool is_line(const char* text, const char* line) {
  const size_t length = strlen(line);
  return strncmp(text, line, length) == 0 && (text[length] == '\0' || text[length] == '\n');
}

static bool starts(const char* text, const char* start) { return strncmp(text, start, strlen(start)) == 0; }

// Reads "FDNAME=<name>", the second line of a message. Returns false if there is no valid name.
static bool read_name(const char* text, char* name) {
  const char* line = strchr(text, '\n');
  if (line == NULL || !starts(++line, "FDNAME=")) return false;
  const char* value = line + strlen("FDNAME=");
  const size_t length = strspn(value, NAME_LETTERS);
  if (length == 0 || length >= NAME_BYTES || (value[length] != '\0' && value[length] != '\n')) return false;
  memcpy(name, value, length);
  name[length] = '\0';
  return true;
}

// Reads "TAKEOVER=<ms> <path>". Returns false if it is malformed.
static bool read_deadline(const char* text, event* event) {
  const char* digits = text + strlen("TAKEOVER=");
  const size_t length = strspn(digits, "0123456789");
  if (length == 0 || digits[length] != ' ' || digits[length + 1] != '/') return false;
  errno = 0;
  event->deadline_ms = strtoull(digits, NULL, 10);
  event->text = digits + length + 1;
  return errno == 0 && strlen(event->text) < PATH_MAX && strchr(event->text, '\n') == NULL;
}

event event_of_message(char* text, size_t length, size_t descriptors, bool is_candidate) {
  const event nothing = {.kind = MEANS_NOTHING, .text = ""};
  event said = nothing;
  if (strlen(text) != length) return nothing;
  const bool stores = is_line(text, "FDSTORE=1");
  if (stores || is_line(text, "FDSTOREREMOVE=1")) {
    if (descriptors != (stores ? 1 : 0) || !read_name(text, said.name)) return nothing;
    const bool is_connection = strcmp(said.name, CONNECTION) == 0;
    if (stores) said.kind = is_connection ? STORES_CONNECTION : STORES;
    else said.kind = is_connection ? REMOVES_CONNECTION : REMOVES;
    return said;
  }
  if (descriptors > 0) return nothing;
  if (starts(text, "TAKEOVER=")) {
    said.kind = SETS_DEADLINE;
    return read_deadline(text, &said) ? said : nothing;
  }
  if (!is_candidate && (is_line(text, "READY=1") || starts(text, "STATUS="))) {
    said.kind = HAS_NOTICE;
    said.text = text;
    return said;
  }
  for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
    if (is_line(text, plain[i].line) && (plain[i].from & (is_candidate ? CANDIDATE : SERVER)) != 0) {
      said.kind = plain[i].kind;
      return said;
    }
  }
  return nothing;
}
