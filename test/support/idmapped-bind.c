// idmapped-bind SOURCE TARGET COMMAND…: acts like a container runtime for a volume of a pod with a user namespace. In a
// mount namespace of its own it binds SOURCE to TARGET, idmapped by a new user namespace (its 0 is the host's 100000),
// and runs COMMAND as root of that user namespace. Exits with 2 if the filesystem does not allow idmapped mounts.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// The values of <linux/mount.h>, which older C libraries cannot include beside <sys/mount.h>.
enum { TREE_CLONE = 1, TREE_CLOEXEC = O_CLOEXEC, SET_RDONLY = 1, SET_IDMAP = 0x100000, FROM_EMPTY_PATH = 4 };
struct attributes {
  uint64_t set, clear, propagation, userns;
};

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static void map_ids(pid_t child, const char* file) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", child, file);
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, "0 100000 65536", 14) != 14) fail(path);
  close(fd);
}

// The descriptor keeps the namespace alive; the child has ended when this function returns.
static int new_user_namespace(void) {
  int ready[2];
  if (pipe(ready) != 0) fail("pipe");
  const pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (unshare(CLONE_NEWUSER) == 0 && write(ready[1], "x", 1) == 1) pause();
    _exit(1);
  }
  close(ready[1]);
  char byte;
  if (read(ready[0], &byte, 1) != 1) fail("a new user namespace");
  map_ids(child, "uid_map");
  map_ids(child, "gid_map");
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/ns/user", child);
  const int userns = open(path, O_RDONLY | O_CLOEXEC);
  if (userns < 0) fail(path);
  kill(child, SIGKILL);
  return userns;
}

int main(int count, char** words) {
  if (count < 4) return 64;
  if (unshare(CLONE_NEWNS) != 0 || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) fail("a new mount namespace");
  const int userns = new_user_namespace();
  const int tree = (int)syscall(SYS_open_tree, AT_FDCWD, words[1], TREE_CLONE | TREE_CLOEXEC);
  if (tree < 0) fail("open_tree");
  struct attributes wanted = {.set = SET_IDMAP | SET_RDONLY, .userns = (uint64_t)userns};
  if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &wanted, sizeof wanted) != 0) {
    fprintf(stderr, "mount_setattr: %s\n", strerrorname_np(errno));
    return 2;
  }
  if (syscall(SYS_move_mount, tree, "", AT_FDCWD, words[2], FROM_EMPTY_PATH) != 0) fail("move_mount");
  if (setns(userns, CLONE_NEWUSER) != 0 || setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0) fail("setns");
  execvp(words[3], words + 3);
  fail(words[3]);
}
