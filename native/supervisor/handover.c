// The addon's part of a takeover, and of memory: sends descriptors to the supervisor, creates memory that outlives the
// server, and gives unused memory back to the kernel.
#include "../dagmount.h"
#include <errno.h>
#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

// socketPair(messages): [number, number]. If `messages`, a pair that keeps message boundaries (SOCK_SEQPACKET);
// otherwise a stream, as fusermount3 expects.
static napi_value socket_pair(napi_env env, napi_callback_info info) {
  int pair[2];
  bool messages = false;
  napi_value args[1], result;
  if (!dm_arguments(env, info, 1, args, NULL) || napi_get_value_bool(env, args[0], &messages) != napi_ok) return NULL;
  if (socketpair(AF_UNIX, (messages ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_CLOEXEC, 0, pair) != 0) return dm_throw_errno(env, "socketpair", errno);
  TRY(env, napi_create_array_with_length(env, 2, &result));
  for (uint32_t i = 0; i < 2; i++) TRY(env, napi_set_element(env, result, i, dm_give_fd(env, "socketpair", pair[i], 0)));
  return result;
}

// sendFd(socket, message, fd): returns 0, or the errno of sendmsg(2). A negative fd is not sent. Never blocks.
static napi_value send_fd(napi_env env, napi_callback_info info) {
  napi_value args[3], result = NULL;
  int socket = -1, fd = -1;
  union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control = {0};
  if (!dm_arguments(env, info, 3, args, NULL)) return NULL;
  TRY(env, napi_get_value_int32(env, args[0], &socket));
  TRY(env, napi_get_value_int32(env, args[2], &fd));
  char* text = dm_string(env, args[1]);
  if (text == NULL) return NULL;
  struct iovec io = {.iov_base = text, .iov_len = strlen(text)};
  struct msghdr message = {.msg_iov = &io, .msg_iovlen = 1};
  if (fd >= 0) {
    message.msg_control = &control, message.msg_controllen = sizeof control;
    control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
  }
  const int failure = sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ? 0 : errno;
  free(text);
  return napi_create_int32(env, failure, &result) == napi_ok ? result : NULL;
}

// createMemory(bytes): number. Returns a memfd: the memory lives as long as any process has the descriptor.
static napi_value create_memory(napi_env env, napi_callback_info info) {
  napi_value args[1];
  uint32_t bytes = 0;
  if (!dm_arguments(env, info, 1, args, NULL)) return NULL;
  TRY(env, napi_get_value_uint32(env, args[0], &bytes));
  const int fd = memfd_create("dagmount", MFD_CLOEXEC);
  return dm_give_fd(env, "memfd", fd, fd >= 0 && ftruncate(fd, bytes) == 0 ? 0 : errno);
}

// mapMemory(fd): ArrayBuffer. Maps the whole memfd until the process ends.
static napi_value map_memory(napi_env env, napi_callback_info info) {
  napi_value args[1], result;
  int fd = -1;
  if (!dm_arguments(env, info, 1, args, NULL)) return NULL;
  TRY(env, napi_get_value_int32(env, args[0], &fd));
  const off_t size = lseek(fd, 0, SEEK_END);
  void* data = size <= 0 ? MAP_FAILED : mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) return dm_throw_errno(env, "mmap", size <= 0 ? EINVAL : errno);
  TRY(env, napi_create_external_arraybuffer(env, data, (size_t)size, NULL, NULL, &result));
  return result;
}

// trimMemory(): gives back to the kernel what malloc keeps of freed memory, for all threads. Only glibc can.
static napi_value trim_memory(napi_env env, napi_callback_info info) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  return NULL;
}

// becomeProgram(path, arguments): execv(3). Returns only by throwing.
static napi_value become_program(napi_env env, napi_callback_info info) {
  napi_value args[2], item;
  uint32_t count = 0;
  if (!dm_arguments(env, info, 2, args, NULL)) return NULL;
  TRY(env, napi_get_array_length(env, args[1], &count));
  char* path = dm_string(env, args[0]);
  char** list = calloc(count + 2, sizeof *list);
  if (path == NULL || list == NULL) return dm_throw_errno(env, "execv", ENOMEM);
  list[0] = path;
  for (uint32_t i = 0; i < count; i++) {
    TRY(env, napi_get_element(env, args[1], i, &item));
    if ((list[i + 1] = dm_string(env, item)) == NULL) return NULL;
  }
  // Node.js has set FD_CLOEXEC on all inherited descriptors (uv_disable_stdio_inheritance). The next program needs the
  // standard streams and the descriptors of a service manager (sd_listen_fds(3)).
  const char* passed = getenv("LISTEN_FDS");
  for (int fd = 0; fd < 3 + (passed == NULL ? 0 : atoi(passed)); fd++) fcntl(fd, F_SETFD, 0);
  // Node.js ignores SIGPIPE, and execve(2) would keep that.
  signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execv(path, list);
  return dm_throw_errno(env, "execv", errno);
}

bool dm_handover_init(napi_env env, napi_value exports) {
  const napi_property_descriptor properties[] = {DM_METHOD("socketPair", socket_pair), DM_METHOD("sendFd", send_fd),
      DM_METHOD("createMemory", create_memory), DM_METHOD("mapMemory", map_memory), DM_METHOD("becomeProgram", become_program), DM_METHOD("trimMemory", trim_memory)};
  return napi_define_properties(env, exports, sizeof properties / sizeof *properties, properties) == napi_ok;
}
