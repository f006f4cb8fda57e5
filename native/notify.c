#include "dagmount.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  const uint8_t* messages;
  int32_t* results;
  size_t count;
} job;

// Jobs are passed to the thread, and returned when done, as pointers through two pipes. Closing the first pipe orders
// the thread to stop; end of file on the second says that it has stopped. Nothing is freed before that.
struct dm_notifier {
  uv_poll_t done;
  uv_thread_t thread;
  dm_notified notified;
  uv_close_cb closed;
  void* owner;
  int device, to_thread[2], from_thread[2];
};

static void run(void* data) {
  dm_notifier* notifier = data;
  job* work;
  while (read(notifier->to_thread[0], &work, sizeof work) == sizeof work) {  // whole or not at all: it is a pipe
    const uint8_t* message = work->messages;
    for (size_t i = 0; i < work->count; i++) {
      uint32_t length;
      memcpy(&length, message, sizeof length);
      work->results[i] = write(notifier->device, message, length) < 0 ? errno : 0;
      message += length;
    }
    if (write(notifier->from_thread[1], &work, sizeof work) != sizeof work) break;
  }
  close(notifier->from_thread[1]);
}

static void on_done(uv_poll_t* poll, int status, int events) {
  dm_notifier* notifier = poll->data;
  job* work;
  const ssize_t got = read(notifier->from_thread[0], &work, sizeof work);
  if (got == sizeof work) {
    free(work);
    notifier->notified(notifier->owner);
  } else if (got == 0) {
    uv_thread_join(&notifier->thread);
    close(notifier->to_thread[0]), close(notifier->from_thread[0]), close(notifier->device);
    poll->data = notifier->owner;
    uv_close((uv_handle_t*)poll, notifier->closed);
  }
}

dm_notifier* dm_notifier_start(uv_loop_t* loop, int fd, dm_notified notified, uv_close_cb closed, void* owner) {
  dm_notifier* notifier = calloc(1, sizeof *notifier);
  if (notifier == NULL) return NULL;
  // Duplicates the device's fd: a write in flight must never reach a reused fd number.
  *notifier = (dm_notifier){.notified = notified, .closed = closed, .owner = owner, .device = dup(fd)};
  if (pipe2(notifier->to_thread, O_CLOEXEC) == 0 && pipe2(notifier->from_thread, O_CLOEXEC | O_NONBLOCK) == 0 &&
      uv_poll_init(loop, &notifier->done, notifier->from_thread[0]) == 0) {
    fcntl(notifier->from_thread[1], F_SETFL, 0);
    notifier->done.data = notifier;
    uv_poll_start(&notifier->done, UV_READABLE, on_done);
    if (uv_thread_create(&notifier->thread, run, notifier) == 0) return notifier;
  }
  return NULL;  // out of descriptors or threads: what was opened here stays open, since the process cannot go on
}

bool dm_notifier_submit(dm_notifier* notifier, const uint8_t* messages, size_t length, int32_t* results, size_t most) {
  size_t count = 0;
  uint32_t size = 0;
  for (size_t offset = 0; offset < length; offset += size, count++) {
    if (length - offset >= sizeof size) memcpy(&size, messages + offset, sizeof size);
    if (size < 16 || size > length - offset || count == most) return false;
  }
  job* work = malloc(sizeof *work);
  if (work == NULL) return false;
  *work = (job){messages, results, count};
  if (write(notifier->to_thread[1], &work, sizeof work) == sizeof work) return true;
  free(work);
  return false;
}

void dm_notifier_stop(dm_notifier* notifier) { close(notifier->to_thread[1]); }
