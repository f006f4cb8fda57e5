#include "dagmount.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Jobs reach the thread as pointers through a pipe: its end of file is the order to stop.
struct dm_notifier {
  napi_threadsafe_function done;
  int device, jobs_in, jobs_out;
};

typedef struct {
  napi_deferred deferred;
  uint32_t count;
  uint8_t* messages;
  int32_t results[];
} job;

static void free_job(job* work) {
  free(work->messages);
  free(work);
}

// Runs in the JavaScript thread; with env NULL when the environment is going away.
static void finish(napi_env env, napi_value callback, void* context, void* data) {
  (void)callback;
  (void)context;
  job* work = data;
  napi_value buffer, results;
  void* bytes = NULL;
  if (env != NULL && napi_create_arraybuffer(env, work->count * sizeof(int32_t), &bytes, &buffer) == napi_ok &&
      napi_create_typedarray(env, napi_int32_array, work->count, buffer, 0, &results) == napi_ok) {
    if (work->count > 0) memcpy(bytes, work->results, work->count * sizeof(int32_t));
    napi_resolve_deferred(env, work->deferred, results);
  }
  free_job(work);
}

static void* run(void* data) {
  dm_notifier* notifier = data;
  job* work;
  ssize_t got;
  while ((got = read(notifier->jobs_out, &work, sizeof work)) != 0) {
    if (got < 0) continue;  // EINTR: a pipe gives a pointer whole or not at all
    const uint8_t* message = work->messages;
    for (uint32_t i = 0; i < work->count; i++) {
      uint32_t length;
      memcpy(&length, message, sizeof length);
      do got = write(notifier->device, message, length);
      while (got < 0 && errno == EINTR);
      work->results[i] = got < 0 ? errno : 0;
      message += length;
    }
    if (napi_call_threadsafe_function(notifier->done, work, napi_tsfn_blocking) != napi_ok) free_job(work);
  }
  napi_release_threadsafe_function(notifier->done, napi_tsfn_release);
  close(notifier->jobs_out);
  close(notifier->device);
  free(notifier);
  return NULL;
}

dm_notifier* dm_notifier_start(napi_env env, int fd) {
  dm_notifier* notifier = calloc(1, sizeof *notifier);
  int jobs[2] = {-1, -1};
  napi_value name;
  pthread_t thread;
  if (notifier == NULL || pipe2(jobs, O_CLOEXEC) != 0) goto failed;
  notifier->jobs_out = jobs[0];
  notifier->jobs_in = jobs[1];
  notifier->device = dup(fd);  // its own: a write in flight must never meet a number that was used again
  if (napi_create_string_utf8(env, "dagmount-notify", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, NULL, NULL, NULL, finish, &notifier->done) !=
          napi_ok)
    goto failed;
  napi_unref_threadsafe_function(env, notifier->done);
  if (pthread_create(&thread, NULL, run, notifier) == 0) {
    pthread_detach(thread);
    return notifier;
  }
  napi_release_threadsafe_function(notifier->done, napi_tsfn_abort);
failed:
  for (int i = 0; i < 2; i++) close(jobs[i]);
  if (notifier != NULL && notifier->device > 0) close(notifier->device);
  free(notifier);
  return NULL;
}

napi_value dm_notifier_submit(napi_env env, dm_notifier* notifier, const uint8_t* messages, size_t length) {
  uint32_t count = 0, size = 0;
  for (size_t offset = 0; offset < length; offset += size, count++) {
    if (length - offset >= sizeof size) memcpy(&size, messages + offset, sizeof size);
    if (size < 16 || size > length - offset) return dm_throw_message(env, "EINVAL", "a message's length is wrong");
  }
  job* work = calloc(1, sizeof *work + count * sizeof(int32_t));
  napi_value promise;
  if (work == NULL || (work->messages = malloc(length + 1)) == NULL) {
    free(work);
    return dm_throw_errno(env, "notify", ENOMEM);
  }
  work->count = count;
  memcpy(work->messages, messages, length);
  if (napi_create_promise(env, &work->deferred, &promise) != napi_ok ||
      write(notifier->jobs_in, &work, sizeof work) != sizeof work) {
    free_job(work);
    return dm_throw_message(env, "EIO", "the notification could not be handed over");
  }
  return promise;
}

void dm_notifier_stop(dm_notifier* notifier) { close(notifier->jobs_in); }
