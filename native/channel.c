#include "dagmount.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IN_HEADER_BYTES = 40, OUT_HEADER_BYTES = 16, IOCTL_OPCODE = 39 };  // of linux/fuse.h
enum { SLICE_NANOSECONDS = 2000000 };
enum { REQUESTS, LENGTHS, REPLY, ANSWERED, ON_REQUESTS, ON_NOTIFIED, ON_END, KEPT };

// One session's connection to /dev/fuse.
typedef struct {
  napi_env env;
  napi_ref kept;  // an array of what the constructor was given, in the order above
  napi_ref self;  // strong until both handles are closed
  napi_async_cleanup_hook_handle cleanup;
  uv_poll_t poll;
  dm_notifier* notifier;
  uint8_t *requests, *reply;
  int32_t* lengths;
  double* answered;
  size_t slot_bytes, slots, reply_bytes;
  uint64_t spin, last_arrival, last_gap;
  int fd, handles;
  bool open;
} channel;

// Once the poll and the notifier are closed, the JavaScript object may be collected, and this memory with it.
static void handle_closed(uv_handle_t* handle) {
  channel* c = handle->data;
  if (--c->handles > 0) return;
  close(c->fd), free(c->notifier);
  if (c->cleanup != NULL) napi_remove_async_cleanup_hook(c->cleanup);
  napi_reference_unref(c->env, c->self, NULL);
}

static void shut(channel* c) {
  if (!c->open) return;
  c->open = false;
  dm_notifier_stop(c->notifier);
  uv_poll_stop(&c->poll);
  uv_close((uv_handle_t*)&c->poll, handle_closed);
}

static void on_environment_exit(napi_async_cleanup_hook_handle handle, void* data) { shut(data); }

static void call(channel* c, uint32_t callback, int32_t argument) {
  napi_value kept, function, receiver, value, error;
  bool pending = false;
  if (napi_get_reference_value(c->env, c->kept, &kept) == napi_ok &&
      napi_get_element(c->env, kept, callback, &function) == napi_ok &&
      napi_get_global(c->env, &receiver) == napi_ok && napi_create_int32(c->env, argument, &value) == napi_ok)
    napi_make_callback(c->env, NULL, receiver, function, 1, &value, NULL);
  napi_is_exception_pending(c->env, &pending);
  if (pending && napi_get_and_clear_last_exception(c->env, &error) == napi_ok) napi_fatal_exception(c->env, error);
}

static void notified(void* owner) {
  channel* c = owner;
  napi_handle_scope scope;
  if (napi_open_handle_scope(c->env, &scope) != napi_ok) return;
  call(c, ON_NOTIFIED, 0);
  napi_close_handle_scope(c->env, scope);
}

// Answers IOCTL here, before any JavaScript runs. The kernel never caches "no such ioctl", and CPython's open() calls
// isatty() on every file: in a warm scan with open() this is the only request left.
static bool answer_constant(channel* c, uint8_t* request, ssize_t length) {
  uint32_t opcode = 0;
  if (length >= IN_HEADER_BYTES) memcpy(&opcode, request + 4, sizeof opcode);
  if (opcode != IOCTL_OPCODE) return false;
  uint32_t reply[OUT_HEADER_BYTES / 4] = {OUT_HEADER_BYTES, (uint32_t)-ENOTTY};
  memcpy(reply + 2, request + 8, 8);
  // If the write is refused (ENOENT: the caller was interrupted), nothing remains to be done.
  if (write(c->fd, reply, sizeof reply) == (ssize_t)sizeof reply) ++*c->answered;
  memset(request, 0, 4);  // answered: a process that finds a length here would answer again
  return true;
}

// Fills the slots with the waiting requests. Returns their number, or -1 with the errno if the first read failed.
static int read_batch(channel* c, int* error) {
  size_t filled = 0;
  bool active = false;
  while (filled < c->slots) {
    uint8_t* slot = c->requests + filled * c->slot_bytes;
    ssize_t length = read(c->fd, slot, c->slot_bytes);
    if (length > 0) {
      active = true;
      if (answer_constant(c, slot, length)) break;  // return to the spin, which sees the next request of this reader
      c->lengths[filled++] = (int32_t)length;
    } else if (length == 0 || (errno != EINTR && errno != ENOENT)) {  // ENOENT: the request went away meanwhile
      *error = length == 0 ? ENODEV : errno;
      break;
    }
  }
  return filled > 0 || active ? (int)filled : -1;
}

// A reader that scans sends its next request about 10 us after the last answer, and waking an idle core takes longer.
// So while requests come close together, check again for `spin` nanoseconds before returning to poll. Python open()
// over 3,000 files through a C server: 198 ms with poll alone, 93 ms with 50 us.
static void on_readable(uv_poll_t* poll, int status, int events) {
  channel* c = poll->data;
  napi_handle_scope scope;
  if (napi_open_handle_scope(c->env, &scope) != napi_ok) return;
  const uint64_t start = uv_hrtime();
  uint64_t answered = 0;
  while (c->open) {
    int error = 0;
    const int count = read_batch(c, &error);
    const uint64_t now = uv_hrtime();
    if (count >= 0) {
      c->last_gap = now - c->last_arrival;
      c->last_arrival = now;
      if (count > 0) call(c, ON_REQUESTS, count);
      answered = uv_hrtime();
      if (answered - start > SLICE_NANOSECONDS) break;  // the loop has messages of its own to read
    } else if (error == EAGAIN) {
      if (answered == 0 || c->last_gap > 4 * c->spin || now - answered > c->spin) break;
    } else {
      shut(c);
      call(c, ON_END, error);
    }
  }
  napi_close_handle_scope(c->env, scope);
}

// Returns the memory of a typed array of the wanted type, and its length in elements; NULL if the value is not one.
static void* memory(napi_env env, napi_value array, napi_typedarray_type wanted, size_t* length) {
  napi_typedarray_type type;
  void* data = NULL;
  const napi_status status = napi_get_typedarray_info(env, array, &type, length, &data, NULL, NULL);
  return status == napi_ok && type == wanted ? data : NULL;
}

// Returns the open channel that a method was called on, or NULL with an exception pending.
static channel* unwrap(napi_env env, napi_callback_info info, size_t count, napi_value* args) {
  napi_value self;
  channel* c = NULL;
  if (!dm_arguments(env, info, count, args, &self)) return NULL;
  if (napi_unwrap(env, self, (void**)&c) == napi_ok && c->open) return c;
  dm_throw_message(env, "EBADF", "the channel is closed");
  return NULL;
}

// reply(length): writes that many bytes of the reply buffer. Returns 0 or the errno (ENOENT: no reader waits).
static napi_value channel_reply(napi_env env, napi_callback_info info) {
  napi_value args[1], result;
  uint32_t length = 0;
  channel* c = unwrap(env, info, 1, args);
  if (c == NULL) return NULL;
  TRY(env, napi_get_value_uint32(env, args[0], &length));
  if (length < OUT_HEADER_BYTES || length > c->reply_bytes) return dm_throw_message(env, "EINVAL", "reply's length");
  const ssize_t wrote = write(c->fd, c->reply, length);  // never EINTR: the device takes a reply whole, at once
  TRY(env, napi_create_int32(env, wrote < 0 ? errno : 0, &result));
  return result;
}

// notify(messages, results): fills results with an errno for each message (0 if the kernel accepted it), then calls
// onNotified. Calls complete in order. The caller must keep both arrays until then.
static napi_value channel_notify(napi_env env, napi_callback_info info) {
  napi_value args[2];
  size_t length = 0, most = 0;
  channel* c = unwrap(env, info, 2, args);
  if (c == NULL) return NULL;
  const uint8_t* messages = memory(env, args[0], napi_uint8_array, &length);
  int32_t* results = memory(env, args[1], napi_int32_array, &most);
  if (messages != NULL && results != NULL && dm_notifier_submit(c->notifier, messages, length, results, most)) return NULL;
  return dm_throw_message(env, "EINVAL", "whole messages and room for their results were expected");
}

static napi_value channel_close(napi_env env, napi_callback_info info) {
  channel* c = unwrap(env, info, 0, NULL);
  if (c != NULL) shut(c);
  return NULL;
}

static void finalize(napi_env env, void* data, void* hint) {
  channel* c = data;
  napi_delete_reference(env, c->kept), napi_delete_reference(env, c->self), free(c);
}

// new Channel(fd, spinNanoseconds, [requests, lengths, reply, answered, onRequests, onNotified, onEnd]).
// Takes ownership of the fd. `requests` consists of as many equal slots as `lengths` has numbers. onRequests(count) is
// called when the first `count` slots are filled, and must have finished with them when it returns. `answered` is a
// Float64Array whose first number counts the requests that the transport answered. onEnd(errno) says
// why reading ended: ENODEV after an unmount.
static napi_value channel_new(napi_env env, napi_callback_info info) {
  napi_value args[3], self, kept[KEPT];
  size_t requests_bytes = 0, counters = 0;
  uv_loop_t* loop = NULL;
  int32_t fd = -1;
  uint32_t spin = 0;
  if (!dm_arguments(env, info, 3, args, &self)) return NULL;
  TRY(env, napi_get_value_int32(env, args[0], &fd));
  TRY(env, napi_get_value_uint32(env, args[1], &spin));
  for (uint32_t i = 0; i < KEPT; i++) TRY(env, napi_get_element(env, args[2], i, &kept[i]));
  channel* c = calloc(1, sizeof *c);
  if (c == NULL) return dm_throw_errno(env, "channel", ENOMEM);
  *c = (channel){.env = env, .fd = fd, .spin = spin, .handles = 2, .poll.data = c};
  if ((c->requests = memory(env, kept[REQUESTS], napi_uint8_array, &requests_bytes)) == NULL ||
      (c->lengths = memory(env, kept[LENGTHS], napi_int32_array, &c->slots)) == NULL || c->slots == 0 ||
      (c->reply = memory(env, kept[REPLY], napi_uint8_array, &c->reply_bytes)) == NULL ||
      (c->answered = memory(env, kept[ANSWERED], napi_float64_array, &counters)) == NULL || counters == 0 ||
      napi_create_reference(env, args[2], 1, &c->kept) != napi_ok || napi_get_uv_event_loop(env, &loop) != napi_ok ||
      uv_poll_init(loop, &c->poll, fd) != 0 ||
      (c->notifier = dm_notifier_start(loop, fd, notified, handle_closed, c)) == NULL)
    return dm_throw_message(env, "EINVAL", "the channel could not be made");
  c->slot_bytes = requests_bytes / c->slots;
  c->open = true;
  TRY(env, napi_wrap(env, self, c, finalize, NULL, &c->self));
  TRY(env, napi_reference_ref(env, c->self, NULL));
  TRY(env, napi_add_async_cleanup_hook(env, on_environment_exit, c, &c->cleanup));
  uv_poll_start(&c->poll, UV_READABLE, on_readable);
  return self;
}

bool dm_channel_init(napi_env env, napi_value exports) {
  const napi_property_descriptor methods[] = {
      DM_METHOD("reply", channel_reply), DM_METHOD("notify", channel_notify), DM_METHOD("close", channel_close)};
  napi_value class;
  return napi_define_class(env, "Channel", NAPI_AUTO_LENGTH, channel_new, NULL, 3, methods, &class) == napi_ok &&
         napi_set_named_property(env, exports, "Channel", class) == napi_ok;
}
