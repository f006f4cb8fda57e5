// Drives the supervisor's state machine for machine.test.ts: one command a line on stdin, one answer a line on stdout.
//   table                                         the rows, one a line, and an empty line
//   at SERVER CANDIDATE CONNECTION [FIELD=N...]   puts the machine there
//   event KIND [FIELD=VALUE...]                   where it is after that, and what it does
//   time MILLISECONDS                             the same
//   message server|candidate FDS HEX              which event a message is
#include "../../native/supervisor/machine.h"
#include "../../native/supervisor/messages.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME(name, text) #name,
#define WORDS(name, text) text,
static const char* server_names[] = {SERVER_STATES(NAME)};
static const char* candidate_names[] = {CANDIDATE_STATES(NAME)};
static const char* connection_names[] = {CONNECTION_STATES(NAME)};
static const char* event_names[] = {EVENTS(NAME)};
static const char* action_names[] = {ACTIONS(NAME)};
static const char* server_words[] = {SERVER_STATES(WORDS)};
static const char* candidate_words[] = {CANDIDATE_STATES(WORDS)};
static const char* connection_words[] = {CONNECTION_STATES(WORDS)};
static const char* event_words[] = {EVENTS(WORDS)};
static const char* guard_words[] = {GUARDS(WORDS)};
static const char* action_words[] = {ACTIONS(WORDS)};

static machine state;

static int ordinal(unsigned bit) { return __builtin_ctz(bit); }

static int find(const char* const* names, int count, const char* name) {
  for (int i = 0; i < count; i++)
    if (strcmp(names[i], name) == 0) return i;
  fprintf(stderr, "no such name: %s\n", name);
  exit(2);
}

static void print_set(unsigned set, const char* const* words, int count) {
  const unsigned all = (1u << count) - 1;
  const char* between = "";
  printf(" ");
  if ((set & all) == all) printf("any");
  else
    for (int i = 0; i < count; i++)
      if ((set >> i & 1) != 0) printf("%s%s", between, words[i]), between = ", ";
  printf(" |");
}

static void print_table(void) {
  for (size_t i = 0; i < transition_count; i++) {
    const transition* row = &transitions[i];
    printf("| %s |", event_words[row->event]);
    // ENDED is the end of the process, so no event comes there.
    print_set(row->servers == ~0u ? ~0u : row->servers, server_words, SERVER_STATE_COUNT);
    print_set(row->candidates, candidate_words, CANDIDATE_STATE_COUNT);
    print_set(row->connections, connection_words, CONNECTION_STATE_COUNT);
    printf(" %s |", guard_words[row->guard]);
    printf(" %s |", row->server == 0 ? "" : server_words[ordinal(row->server)]);
    printf(" %s |", row->candidate == 0 ? "" : candidate_words[ordinal(row->candidate)]);
    printf(" %s |", row->connection == 0 ? "" : connection_words[ordinal(row->connection)]);
    const char* between = " ";
    for (size_t a = 0; a < sizeof row->actions / sizeof *row->actions; a++) {
      if (row->actions[a] == NOTHING) continue;
      printf("%s%s", between, action_words[row->actions[a]]);
      between = ", ";
    }
    printf(" | %s |\n", row->why == NULL ? "" : row->why);
  }
  printf("\n");
}

static void print_state(const action_list* actions) {
  printf("%s %s %s", server_names[ordinal(state.server)], candidate_names[ordinal(state.candidate)],
      connection_names[ordinal(state.connection)]);
  for (size_t i = 0; i < actions->count; i++) {
    const action* each = &actions->list[i];
    printf(" | %s %d %s", action_names[each->kind], each->number, each->text);
  }
  printf(" | held=%llu passed=%d restarts=%d\n", (unsigned long long)state.held_signals, state.passed_signal, state.restarts);
}

static void put(char* field) {
  char* value = strchr(field, '=');
  if (value == NULL) exit(2);
  *value++ = '\0';
  const uint64_t number = strtoull(value, NULL, 10);
  const struct { const char* name; uint64_t* place; } clocks[] = {
      {"silent", &state.silent_ms}, {"down", &state.down_ms}, {"closed", &state.closed_ms}, {"handover", &state.handover_ms},
      {"unreaped", &state.unreaped_ms}, {"candidate", &state.candidate_ms}, {"standbyPause", &state.standby_pause_ms},
      {"rest", &state.rest_ms}, {"held", &state.held_signals}, {"watchdog", &state.watchdog_ms}, {"deadline", &state.deadline_ms},
      {"pause", &state.pause_ms}};
  if (strcmp(field, "served") == 0) state.has_served = number != 0;
  else if (strcmp(field, "passed") == 0) state.passed_signal = (int)number;
  else if (strcmp(field, "isClosed") == 0) state.is_closed = number != 0;
  else {
    size_t i = 0;
    while (i < sizeof clocks / sizeof *clocks && strcmp(field, clocks[i].name) != 0) i++;
    if (i == sizeof clocks / sizeof *clocks) exit(2);
    *clocks[i].place = number;
  }
}

static void put_in_event(event* event, char* field) {
  static const char* const ends[] = {"unknown", "code", "signal", "stranger"};
  char* value = strchr(field, '=');
  if (value == NULL) exit(2);
  *value++ = '\0';
  if (strcmp(field, "name") == 0) snprintf(event->name, sizeof event->name, "%s", value);
  else if (strcmp(field, "text") == 0) event->text = value;
  else if (strcmp(field, "signal") == 0) event->signal = atoi(value);
  else if (strcmp(field, "deadline") == 0) event->deadline_ms = strtoull(value, NULL, 10);
  else if (strcmp(field, "end") == 0) event->end = (end_kind)find(ends, 4, value);
  else if (strcmp(field, "value") == 0) event->end_value = atoi(value);
  else exit(2);
}

static void read_message(char* arguments) {
  // The copy is exactly as long as the message, so a sanitizer sees a read beyond it.
  const char* from = strtok(arguments, " ");
  const size_t descriptors = strtoul(strtok(NULL, " "), NULL, 10);
  const char* hex = strtok(NULL, " ");
  const size_t length = hex == NULL ? 0 : strlen(hex) / 2;
  char* text = malloc(length + 1);
  for (size_t i = 0; i < length; i++) {
    unsigned byte = 0;
    sscanf(hex + 2 * i, "%2x", &byte);
    text[i] = (char)byte;
  }
  text[length] = '\0';
  const event said = event_of_message(text, length, descriptors, strcmp(from, "candidate") == 0);
  printf("%s %s %llu %zu\n", event_names[said.kind], said.name[0] == '\0' ? "-" : said.name,
      (unsigned long long)said.deadline_ms, strlen(said.text));
  free(text);
}

int main(void) {
  static char line[65536];
  while (fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    char* word = strtok(line, " ");
    action_list actions = {.count = 0};
    if (word == NULL) continue;
    if (strcmp(word, "table") == 0) print_table();
    else if (strcmp(word, "message") == 0) read_message(word + strlen(word) + 1);
    else if (strcmp(word, "at") == 0) {
      state = machine_begin((machine_start){.restarts = 0});
      state.server = 1 << find(server_names, SERVER_STATE_COUNT, strtok(NULL, " "));
      state.candidate = 1 << find(candidate_names, CANDIDATE_STATE_COUNT, strtok(NULL, " "));
      state.connection = 1 << find(connection_names, CONNECTION_STATE_COUNT, strtok(NULL, " "));
      for (char* field; (field = strtok(NULL, " ")) != NULL;) put(field);
    } else if (strcmp(word, "event") == 0) {
      event event = {.kind = (event_kind)find(event_names, EVENT_COUNT, strtok(NULL, " ")), .text = ""};
      for (char* field; (field = strtok(NULL, " ")) != NULL;) put_in_event(&event, field);
      machine_handle(&state, &event, &actions);
      print_state(&actions);
    } else if (strcmp(word, "time") == 0) {
      machine_pass_time(&state, strtoull(strtok(NULL, " "), NULL, 10), &actions);
      print_state(&actions);
    } else return 2;
  }
  return 0;
}
