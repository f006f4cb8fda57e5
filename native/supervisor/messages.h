// Translates a server's message (in the format of sd_notify(3)) into an event. Pure. docs/takeover.md lists the
// messages. Servers of other builds send the same messages: they never change, and unknown ones are ignored.
#pragma once
#include "machine.h"

// `text` has a zero after `length` bytes, and the event points into it. `descriptors`: how many came with it.
// `is_candidate`: the sender is the candidate, not the server.
event event_of_message(char* text, size_t length, size_t descriptors, bool is_candidate);
