#include "dagmount.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

napi_value dm_throw_message(napi_env env, const char* code, const char* message) {
  napi_throw_error(env, code, message);  // does nothing while an exception is pending
  return NULL;
}

napi_value dm_throw_errno(napi_env env, const char* what, int error) {
  char message[256];
  snprintf(message, sizeof message, "%s: %s", what, strerror(error));
  return dm_throw_message(env, uv_err_name(-error), message);
}

bool dm_arguments(napi_env env, napi_callback_info info, size_t count, napi_value* args, napi_value* self) {
  size_t given = count;
  if (napi_get_cb_info(env, info, &given, args, self, NULL) == napi_ok && given == count) return true;
  dm_throw_message(env, "EINVAL", "wrong number of arguments");
  return false;
}

char* dm_string(napi_env env, napi_value value) {
  size_t length = 0;
  char* text = NULL;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) == napi_ok) text = malloc(length + 1);
  if (text != NULL && napi_get_value_string_utf8(env, value, text, length + 1, &length) == napi_ok) return text;
  free(text);
  dm_throw_message(env, "EINVAL", "a string was expected");
  return NULL;
}

// Context-aware: Node.js loads the addon once in each thread that requires it. No state here outlives an environment.
NAPI_MODULE_INIT() {
  return dm_mount_init(env, exports) && dm_channel_init(env, exports) && dm_handover_init(env, exports) ? exports : NULL;
}
