// Messages with descriptors over a socket that keeps message boundaries (SOCK_SEQPACKET). Neither function blocks.
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { MOST_RECEIVED_FDS = 8 };

typedef enum { GOT_MESSAGE, GOT_NOTHING, GOT_END } receipt;

// A negative `fd` is not sent. False if the message was not sent; errno says why.
bool send_fd_message(int socket, const char* text, int fd);
// Stores the text, with a zero after it, and the descriptors, which are the caller's. A message that is truncated, empty,
// or has a zero inside counts as the end: no descriptor of it is left open.
receipt receive_fd_message(int socket, char* text, size_t size, int* fds, size_t* count);
