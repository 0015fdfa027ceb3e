// The other end of the socket benchmarks, and their floor: plain C, epoll, nothing else.
//
//   peer serve PATH                              echoes on a Unix socket until it is killed
//   peer load PATH CONNECTIONS BYTES SECONDS     ping-pong on each connection, then prints
//                                                {"perSecond": round trips, "p50Us": one's time}
//
//   peer post PORT CONNECTIONS SECONDS PATH BODY the same with HTTP/1.1 requests on 127.0.0.1; any
//                                                answer but 2xx ends it
//
// `load` and `post` keep one message in flight on each connection.

#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
  EVENTS_MAX = 256,
  BUFFER_BYTES = 64 * 1024,
  HEAD_BYTES = 4096,
  HISTOGRAM_100NS = 10 * 1000 * 1000
};

static char buffer[BUFFER_BYTES];

static void die(const char* what) {
  perror(what);
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static struct sockaddr_un address_of(const char* path) {
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
static void send_all(int fd, const char* bytes, size_t count) {
  ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
  if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) return;  // recv will tell
  if (sent != (ssize_t)count) die("send");
}

static void serve(const char* path) {
  struct sockaddr_un address = address_of(path);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (bind(listener, (struct sockaddr*)&address, sizeof address) < 0) die("bind");
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
  char head[HEAD_BYTES];
  size_t answer_bytes;  // 0: not known yet
};

static struct connection* connect_all(const struct sockaddr* address, socklen_t size,
                                      uint32_t connection_count, int epoll) {
  struct connection* connections = calloc(connection_count, sizeof *connections);
  for (uint32_t i = 0; i < connection_count; i++) {
    connections[i].fd = socket(address->sa_family, SOCK_STREAM, 0);
    if (connect(connections[i].fd, address, size) < 0) die("connect");
    watch(epoll, connections[i].fd, EPOLLIN | EPOLLET, i);
  }
  return connections;
}

// Whether all of an answer has come, given its next bytes.
typedef int (*is_answered)(struct connection* connection, size_t got, size_t message_bytes);

static int is_echoed(struct connection* connection, size_t got, size_t message_bytes) {
  connection->received += got;
  return connection->received >= message_bytes;
}

// Both servers write a status line, headers with a content-length, and a body of that many bytes.
static int is_http_answered(struct connection* connection, size_t got, size_t message_bytes) {
  (void)message_bytes;
  if (connection->answer_bytes == 0) {
    size_t room = HEAD_BYTES - 1 - connection->received;
    memcpy(connection->head + connection->received, buffer, got < room ? got : room);
    connection->head[connection->received + (got < room ? got : room)] = 0;
    char* end = strstr(connection->head, "\r\n\r\n");
    if (end) {
      char* length = strcasestr(connection->head, "\r\ncontent-length:");
      if (connection->head[9] != '2' || !length || length > end) {
        fprintf(stderr, "the server answered %s\n", connection->head);
        exit(1);
      }
      size_t body_bytes = strtoul(length + strlen("\r\ncontent-length:"), NULL, 10);
      connection->answer_bytes = (size_t)(end - connection->head) + 4 + body_bytes;
    }
  }
  connection->received += got;
  return connection->answer_bytes > 0 && connection->received >= connection->answer_bytes;
}

static void ping_pong(struct connection* connections, uint32_t connection_count, int epoll,
                      const char* message, size_t bytes, double seconds, is_answered answered) {
  uint32_t* histogram = calloc(HISTOGRAM_100NS, sizeof *histogram);
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
      struct connection* connection = &connections[events[i].data.u32];
      ssize_t got = recv(connection->fd, buffer, sizeof buffer, 0);
      if (got <= 0) die("the server closed the connection");
      if (!answered(connection, (size_t)got, bytes)) continue;
      connection->received = connection->answer_bytes = 0;
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

static void load(const char* path, uint32_t connection_count, size_t bytes, double seconds) {
  struct sockaddr_un address = address_of(path);
  int epoll = epoll_create1(0);
  struct connection* connections =
      connect_all((struct sockaddr*)&address, sizeof address, connection_count, epoll);
  char* message = malloc(bytes);
  memset(message, 'm', bytes);
  ping_pong(connections, connection_count, epoll, message, bytes, seconds, is_echoed);
}

static void post(uint16_t port, uint32_t connection_count, double seconds, const char* path,
                 const char* body) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int epoll = epoll_create1(0);
  struct connection* connections =
      connect_all((struct sockaddr*)&address, sizeof address, connection_count, epoll);
  char* message = NULL;
  int bytes = asprintf(&message,
                       "POST %s HTTP/1.1\r\nhost: 127.0.0.1:%u\r\n"
                       "content-type: application/json\r\ncontent-length: %zu\r\n\r\n%s",
                       path, port, strlen(body), body);
  if (bytes < 0) die("asprintf");
  ping_pong(connections, connection_count, epoll, message, (size_t)bytes, seconds,
            is_http_answered);
}

int main(int argc, char** argv) {
  if (argc == 3 && strcmp(argv[1], "serve") == 0) serve(argv[2]);
  if (argc == 6 && strcmp(argv[1], "load") == 0) {
    load(argv[2], (uint32_t)atoi(argv[3]), (size_t)atoi(argv[4]), atof(argv[5]));
    return 0;
  }
  if (argc == 7 && strcmp(argv[1], "post") == 0) {
    post((uint16_t)atoi(argv[2]), (uint32_t)atoi(argv[3]), atof(argv[4]), argv[5], argv[6]);
    return 0;
  }
  fprintf(stderr,
          "usage: peer serve PATH | peer load PATH CONNECTIONS BYTES SECONDS\n"
          "       peer post PORT CONNECTIONS SECONDS PATH BODY\n");
  return 2;
}
