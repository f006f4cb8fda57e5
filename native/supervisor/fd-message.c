#include "fd-message.h"
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

bool send_fd_message(int socket, const char* text, int fd) {
  union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control = {0};
  struct iovec io = {.iov_base = (void*)(uintptr_t)text, .iov_len = strlen(text)};
  struct msghdr message = {.msg_iov = &io, .msg_iovlen = 1};
  if (fd >= 0) {
    message.msg_control = &control, message.msg_controllen = sizeof control;
    control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
  }
  return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

receipt receive_fd_message(int socket, char* text, size_t size, int* fds, size_t* count) {
  union { struct cmsghdr header; char space[CMSG_SPACE(MOST_RECEIVED_FDS * sizeof(int))]; } control;
  struct iovec io = {.iov_base = text, .iov_len = size - 1};
  struct msghdr message = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  *count = 0;
  const ssize_t got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0) return errno == EAGAIN || errno == EINTR ? GOT_NOTHING : GOT_END;
  for (struct cmsghdr* each = CMSG_FIRSTHDR(&message); each != NULL; each = CMSG_NXTHDR(&message, each)) {
    if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) continue;
    *count = (each->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(fds, CMSG_DATA(each), *count * sizeof(int));
  }
  text[got] = '\0';
  if (got > 0 && strlen(text) == (size_t)got && (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0) return GOT_MESSAGE;
  while (*count > 0) close(fds[--*count]);
  return GOT_END;
}
