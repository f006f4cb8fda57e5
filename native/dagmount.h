// The kernel transport: bytes from /dev/fuse to JavaScript and back. No policy, and of the protocol only
// what a transport needs: the length that starts every message, and the answer that never varies (IOCTL).
#pragma once
#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define TRY(env, call)                                                               \
  do {                                                                               \
    if ((call) != napi_ok) return dm_throw_message((env), "EINVAL", #call " failed"); \
  } while (0)
#define DM_METHOD(name, function) {(name), NULL, (function), NULL, NULL, NULL, napi_enumerable, NULL}

// Both leave an exception that is already pending as it is, and return NULL.
napi_value dm_throw_message(napi_env env, const char* code, const char* message);
// An Error whose `code` is the errno's name (ENOENT) and whose message is "what: strerror".
napi_value dm_throw_errno(napi_env env, const char* what, int error);
// Exactly `count` arguments, and `this` where asked for; false with an exception pending otherwise.
bool dm_arguments(napi_env env, napi_callback_info info, size_t count, napi_value* args, napi_value* self);
// A JavaScript string as malloc'd UTF-8; NULL with an exception pending when it is none.
char* dm_string(napi_env env, napi_value value);

// Notifications are written by a thread of their own: the kernel may hold a write until a lookup that the
// session has yet to answer is done, so the thread that answers must never be the one that notifies.
typedef struct dm_notifier dm_notifier;
typedef void (*dm_notified)(void* owner);
// In the loop's thread: `notified` for each submission, and last `closed`, with a handle whose data is the owner.
dm_notifier* dm_notifier_start(uv_loop_t* loop, int fd, dm_notified notified, uv_close_cb closed, void* owner);
// Messages and results stay the caller's, and in place, until `notified`. False: not whole messages, or too many.
bool dm_notifier_submit(dm_notifier* notifier, const uint8_t* messages, size_t length, int32_t* results, size_t most);
// Ends the thread once the writes already given to it have returned. Never waits.
void dm_notifier_stop(dm_notifier* notifier);

// Gives the fd to JavaScript, or closes it and throws what went wrong.
napi_value dm_give_fd(napi_env env, const char* what, int fd, int error);

bool dm_handover_init(napi_env env, napi_value exports);
bool dm_mount_init(napi_env env, napi_value exports);
bool dm_channel_init(napi_env env, napi_value exports);
