#include "dagmount.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

napi_value dm_give_fd(napi_env env, const char* what, int fd, int error) {
  napi_value result = NULL;
  if (error == 0 && napi_create_int32(env, fd, &result) == napi_ok) return result;
  if (fd >= 0) close(fd);
  return dm_throw_errno(env, what, error);
}

// The system calls of Linux 5.2 and later by number: older C libraries have no wrappers, and older headers no names.
enum { MOVE_MOUNT = 429, FSOPEN, FSCONFIG, FSMOUNT };
enum { SET_FLAG = 0, SET_STRING = 1, CREATE = 6, READ_ONLY_NOSUID_NODEV = 7, FROM_EMPTY_PATH = 4, BENEATH = 512 };

static int configure_and_mount(int fs, char* options, const char* target, bool beneath) {
  char* rest = NULL;
  for (char* key = strtok_r(options, "\n", &rest); key != NULL; key = strtok_r(NULL, "\n", &rest)) {
    char* value = strchr(key, '=');
    if (value != NULL) *value++ = '\0';
    if (syscall(FSCONFIG, fs, value != NULL ? SET_STRING : SET_FLAG, key, value, 0) != 0) return errno;
  }
  if (syscall(FSCONFIG, fs, CREATE, NULL, NULL, 0) != 0) return errno;
  const int tree = (int)syscall(FSMOUNT, fs, 1, READ_ONLY_NOSUID_NODEV);
  if (tree < 0) return errno;
  const int flags = FROM_EMPTY_PATH | (beneath ? BENEATH : 0);
  const int error = syscall(MOVE_MOUNT, tree, "", AT_FDCWD, target, flags) == 0 ? 0 : errno;
  return close(tree), error;
}

// mountDirect(target, options, beneath): number. Mounts read-only on the target and returns the device's fd. With
// `beneath`, mounts under the mount that is already there (Linux 6.5 and later; EINVAL before). Options: one per line.
static napi_value mount_direct(napi_env env, napi_callback_info info) {
  napi_value args[3], result = NULL;
  char *target = NULL, *given = NULL, *options = NULL;
  bool beneath = false;
  if (dm_arguments(env, info, 3, args, NULL) && (target = dm_string(env, args[0])) != NULL &&
      (given = dm_string(env, args[1])) != NULL && napi_get_value_bool(env, args[2], &beneath) == napi_ok) {
    const int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    const int fs = fd < 0 ? -1 : (int)syscall(FSOPEN, "fuse", 1);
    int error = fs < 0 ? errno : 0;
    if (error == 0 && asprintf(&options, "fd=%d\n%s", fd, given) < 0) error = ENOMEM;
    if (error == 0) error = configure_and_mount(fs, options, target, beneath);
    if (fs >= 0) close(fs);
    result = dm_give_fd(env, fd < 0 ? "open /dev/fuse" : "mount", fd, error);
  }
  free(target), free(given), free(options);
  return result;
}

// receiveFd(socket): number. Returns the fd that the other end sent; throws EPROTO if it sent none.
static napi_value receive_fd(napi_env env, napi_callback_info info) {
  napi_value args[1];
  int socket = -1, fd = -1;
  char byte;
  union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control;
  struct iovec io = {.iov_base = &byte, .iov_len = 1};
  struct msghdr message = {
      .msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  if (!dm_arguments(env, info, 1, args, NULL)) return NULL;
  TRY(env, napi_get_value_int32(env, args[0], &socket));
  const ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  const struct cmsghdr* header = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  if (header == NULL || header->cmsg_type != SCM_RIGHTS) return dm_throw_errno(env, "fusermount3", EPROTO);
  memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return dm_give_fd(env, "fcntl", fd, fcntl(fd, F_SETFL, O_NONBLOCK) == 0 ? 0 : errno);
}

// unmount(target, detach): throws EBUSY, EINVAL (nothing is mounted there), EPERM.
static napi_value unmount(napi_env env, napi_callback_info info) {
  napi_value args[2];
  bool detach = false;
  if (!dm_arguments(env, info, 2, args, NULL) || napi_get_value_bool(env, args[1], &detach) != napi_ok) return NULL;
  char* target = dm_string(env, args[0]);
  if (target == NULL) return NULL;
  const int error = umount2(target, UMOUNT_NOFOLLOW | (detach ? MNT_DETACH : 0)) == 0 ? 0 : errno;
  free(target);
  return error == 0 ? NULL : dm_throw_errno(env, "umount", error);
}

// lockFile(path): number. Returns an fd that holds the file's exclusive flock(2), or the negative errno: EAGAIN if
// another process holds it. The kernel releases the lock when the last process that holds the fd ends, even by a crash.
static napi_value lock_file(napi_env env, napi_callback_info info) {
  napi_value args[1], result = NULL;
  char* path = dm_arguments(env, info, 1, args, NULL) ? dm_string(env, args[0]) : NULL;
  if (path == NULL) return NULL;
  const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  const int error = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
  free(path);
  if (error != 0 && fd >= 0) close(fd);
  return napi_create_int32(env, error == 0 ? fd : -error, &result) == napi_ok ? result : NULL;
}

bool dm_mount_init(napi_env env, napi_value exports) {
  const napi_property_descriptor properties[] = {
      DM_METHOD("mountDirect", mount_direct), DM_METHOD("receiveFd", receive_fd),
      DM_METHOD("unmount", unmount), DM_METHOD("lockFile", lock_file)};
  return napi_define_properties(env, exports, sizeof properties / sizeof *properties, properties) == napi_ok;
}
