// Messages with descriptors over a socket that keeps message boundaries (SOCK_SEQPACKET). Neither function blocks.
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { MOST_RECEIVED_FDS = 8 };

typedef enum { GOT_MESSAGE, GOT_NOTHING, GOT_END } receipt;

// Sends a message, with a descriptor unless `fd` is negative. Returns false if it was not sent; errno says why.
bool send_fd_message(int socket, const char* text, int fd);
// Receives a message: stores the text, with a zero after it, and the descriptors, which the caller then owns. A message
// that is truncated, empty, or has a zero inside counts as the end of the connection, and its descriptors are closed.
receipt receive_fd_message(int socket, char* text, size_t size, int* fds, size_t* count);
