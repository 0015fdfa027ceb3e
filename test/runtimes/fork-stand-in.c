/* Stands in for libscriptd_sandbox.so where no sandbox is wanted: forks for each request.
 *
 * A request is the path of a folder and a newline. The child takes `control`, `stdin`, `stdout` and
 * `stderr` of that folder, and `work` as its directory. The server answers with the child's pid, and
 * when it has ended with its wait status, each on a line.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kPathMax = 1000 };

static int Open(const char* folder, const char* name, int flags) {
  char path[kPathMax + 16];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  const int fd = open(path, flags | O_CLOEXEC, 0600);
  if (fd < 0) _exit(99);
  return fd;
}

static int Become(const char* folder) {
  /* As scriptd-init does: a script starts with the defaults. */
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  dup2(Open(folder, "stdin", O_RDONLY), 0);
  dup2(Open(folder, "stdout", O_WRONLY | O_CREAT | O_APPEND), 1);
  dup2(Open(folder, "stderr", O_WRONLY | O_CREAT | O_APPEND), 2);
  const int control = Open(folder, "control", O_RDONLY);
  if (fchdir(Open(folder, "work", O_RDONLY | O_DIRECTORY)) < 0) _exit(98);
  /* Nothing but the streams and the control pipe, as a real server leaves it. */
  for (int fd = 3; fd < 64; ++fd) {
    if (fd != control) close(fd);
  }
  return control;
}

int scriptd_serve(int request_fd) {
  char folder[kPathMax];
  for (;;) {
    size_t size = 0;
    do {
      if (size == sizeof folder || read(request_fd, folder + size, 1) != 1) return -1;
    } while (folder[size++] != '\n');
    folder[size - 1] = '\0';
    const pid_t pid = fork();
    if (pid == 0) return Become(folder);
    dprintf(request_fd, "%d\n", pid);
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) < 0) return -2;
    dprintf(request_fd, "%d\n", status);
  }
}
