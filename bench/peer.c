// The other end of the socket benchmarks, and their floor: plain C, epoll, nothing else.
//
//   peer serve PATH                              echoes on a Unix socket until it is killed
//   peer load PATH CONNECTIONS BYTES SECONDS     ping-pong on each connection, then prints
//                                                {"perSecond": round trips, "p50Us": one's time}
//
// `load` keeps one message in flight on each connection.

#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_MAX = 256, BUFFER_BYTES = 64 * 1024, HISTOGRAM_100NS = 10 * 1000 * 1000 };

static char buffer[BUFFER_BYTES];

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static struct sockaddr_un address_of(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    die(path);
  }
  strcpy(address.sun_path, path);
  return address;
}

static void watch(int epoll, int fd, uint32_t events, uint32_t index) {
  struct epoll_event event = {.events = events, .data.u32 = index};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
}

// Messages are far smaller than a socket buffer: a short write is a fault of the benchmark.
static void send_all(int fd, const char *bytes, size_t count) {
  ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
  if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) return;  // recv will tell
  if (sent != (ssize_t)count) die("send");
}

static void serve(const char *path) {
  struct sockaddr_un address = address_of(path);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) die("bind");
  if (listen(listener, 4096) < 0) die("listen");
  int epoll = epoll_create1(0);
  watch(epoll, listener, EPOLLIN, (uint32_t)listener);
  struct epoll_event events[EVENTS_MAX];
  for (;;) {
    int ready = epoll_wait(epoll, events, EVENTS_MAX, -1);
    for (int i = 0; i < ready; i++) {
      int fd = (int)events[i].data.u32;
      if (fd == listener) {
        int connection = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (connection >= 0) watch(epoll, connection, EPOLLIN | EPOLLET, (uint32_t)connection);
        continue;
      }
      ssize_t count = recv(fd, buffer, sizeof buffer, 0);
      if (count > 0) send_all(fd, buffer, (size_t)count);
      if (count == 0 || (count < 0 && errno != EAGAIN)) close(fd);
    }
  }
}

struct connection {
  int fd;
  size_t received;
  int64_t sent_at_ns;
};

static void load(const char *path, uint32_t connection_count, size_t bytes, double seconds) {
  struct sockaddr_un address = address_of(path);
  struct connection *connections = calloc(connection_count, sizeof *connections);
  uint32_t *histogram = calloc(HISTOGRAM_100NS, sizeof *histogram);
  int epoll = epoll_create1(0);
  for (uint32_t i = 0; i < connection_count; i++) {
    connections[i].fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(connections[i].fd, (struct sockaddr *)&address, sizeof address) < 0) die("connect");
    watch(epoll, connections[i].fd, EPOLLIN | EPOLLET, i);
  }
  char *message = malloc(bytes);
  memset(message, 'm', bytes);
  int64_t start = now_ns();
  int64_t warm = start + (int64_t)(seconds * 0.2e9);  // what the first fifth does is not counted
  int64_t end = start + (int64_t)(seconds * 1.2e9);
  int64_t now = start;
  for (uint32_t i = 0; i < connection_count; i++) {
    connections[i].sent_at_ns = now;
    send_all(connections[i].fd, message, bytes);
  }
  uint64_t count = 0;
  struct epoll_event events[EVENTS_MAX];
  while (now < end) {
    int ready = epoll_wait(epoll, events, EVENTS_MAX, 1000);
    for (int i = 0; i < ready; i++) {
      struct connection *connection = &connections[events[i].data.u32];
      ssize_t got = recv(connection->fd, buffer, sizeof buffer, 0);
      if (got <= 0) die("the server closed the connection");
      connection->received += (size_t)got;
      if (connection->received < bytes) continue;
      connection->received = 0;
      now = now_ns();
      int64_t slot = (now - connection->sent_at_ns) / 100;
      if (now >= warm) {
        count++;
        histogram[slot < HISTOGRAM_100NS ? slot : HISTOGRAM_100NS - 1]++;
      }
      connection->sent_at_ns = now;
      send_all(connection->fd, message, bytes);
    }
    if (ready <= 0) now = now_ns();
  }
  uint64_t seen = 0;
  int64_t median = 0;
  while (median < HISTOGRAM_100NS - 1 && (seen += histogram[median]) * 2 < count) median++;
  printf("{\"perSecond\": %.0f, \"p50Us\": %.1f}\n", (double)count * 1e9 / (double)(now - warm),
         (double)median / 10);
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "serve") == 0) serve(argv[2]);
  if (argc == 6 && strcmp(argv[1], "load") == 0) {
    load(argv[2], (uint32_t)atoi(argv[3]), (size_t)atoi(argv[4]), atof(argv[5]));
    return 0;
  }
  fprintf(stderr, "usage: peer serve PATH | peer load PATH CONNECTIONS BYTES SECONDS\n");
  return 2;
}
