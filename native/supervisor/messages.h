// What a server says over its socket, in messages as sd_notify(3) has them, and which event that is. Pure. docs/takeover.md
// has the table. Servers of other builds say these words too: they never change, and what is unknown is ignored.
#pragma once
#include "machine.h"

// `text` has a zero after `length` bytes, and is pointed into by the event. `descriptors`: how many came with it.
// `is_candidate`: it is said by the process beside the server.
event event_of_message(char* text, size_t length, size_t descriptors, bool is_candidate);
