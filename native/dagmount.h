// The kernel transport: passes bytes between /dev/fuse and JavaScript. It holds no policy, and knows only two things of
// the protocol: the length at the start of every message, and the constant answer to IOCTL.
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

// Throws an Error and returns NULL, like the next function. An exception that is already pending is not replaced.
napi_value dm_throw_message(napi_env env, const char* code, const char* message);
// The Error's `code` is the errno's name (ENOENT), and its message is "what: strerror".
napi_value dm_throw_errno(napi_env env, const char* what, int error);
// Reads exactly `count` arguments, and `this` if requested. Otherwise returns false with an exception pending.
bool dm_arguments(napi_env env, napi_callback_info info, size_t count, napi_value* args, napi_value* self);
// Returns a JavaScript string as malloc'd UTF-8; NULL with an exception pending if the value is not a string.
char* dm_string(napi_env env, napi_value value);

// A separate thread writes notifications. The kernel may block such a write until the session has answered a pending
// lookup, so the thread that answers must never be the thread that notifies.
typedef struct dm_notifier dm_notifier;
typedef void (*dm_notified)(void* owner);
// Calls `notified` in the loop's thread for each submission; finally `closed`, with a handle whose data is the owner.
dm_notifier* dm_notifier_start(uv_loop_t* loop, int fd, dm_notified notified, uv_close_cb closed, void* owner);
// Messages and results belong to the caller and must stay in place until `notified`. Returns false if the bytes are not
// whole messages, or if too many are pending.
bool dm_notifier_submit(dm_notifier* notifier, const uint8_t* messages, size_t length, int32_t* results, size_t most);
// Ends the thread once the submitted writes have returned. Never blocks.
void dm_notifier_stop(dm_notifier* notifier);

// Returns the fd to JavaScript, or closes it and throws the error.
napi_value dm_give_fd(napi_env env, const char* what, int fd, int error);

bool dm_handover_init(napi_env env, napi_value exports);
bool dm_mount_init(napi_env env, napi_value exports);
bool dm_channel_init(napi_env env, napi_value exports);
