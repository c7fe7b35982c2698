/* The least that libcurl takes for what a batch asks of it: the same POST over and
 * over on connections that stay open, by its multi interface with epoll, and
 * nothing done with the answers. bench/batch_speed.py builds and runs it.
 *
 *     cc -O2 bench/bare_libcurl.c -lcurl -o bare
 *     ./bare URL REQUESTS AT_A_TIME BODY_FILE [CA_FILE]
 *
 * Prints requests a second and microseconds of CPU a request.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

static int epoll;
static long timer_ms = -1;

static void fail(const char *what) {
  fprintf(stderr, "bare: %s\n", what);
  exit(1);
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *user,
                     void *known) {
  struct epoll_event event = {0};
  (void)easy;
  (void)user;
  (void)known;
  /* Left registered between requests, as a batch does. */
  if (what == CURL_POLL_REMOVE) return 0;
  event.data.fd = socket;
  event.events =
      ((what & CURL_POLL_IN) ? EPOLLIN : 0) | ((what & CURL_POLL_OUT) ? EPOLLOUT : 0);
  if (epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &event) != 0 &&
      epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) != 0) {
    fail("epoll refuses a socket");
  }
  return 0;
}

static int on_timer(CURLM *multi, long after_ms, void *user) {
  (void)multi;
  (void)user;
  timer_ms = after_ms;
  return 0;
}

static size_t ignore(char *data, size_t size, size_t count, void *user) {
  (void)data;
  (void)user;
  return size * count;
}

static double seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc < 5) fail("usage: bare URL REQUESTS AT_A_TIME BODY_FILE [CA_FILE]");
  const long requests = atol(argv[2]);
  const long at_a_time = atol(argv[3]);
  static char body[1 << 16];
  FILE *file = fopen(argv[4], "rb");
  if (file == NULL) fail("cannot read the body");
  const long size = (long)fread(body, 1, sizeof body, file);
  fclose(file);

  curl_global_init(CURL_GLOBAL_DEFAULT);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  CURLM *multi = curl_multi_init();
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 4 * at_a_time);
  struct curl_slist *headers =
      curl_slist_append(NULL, "Content-Type: application/json");
  const double begin = seconds(CLOCK_MONOTONIC);
  long started = 0, done = 0;
  for (; started < at_a_time && started < requests; ++started) {
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, size);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (argc > 5) {
      curl_easy_setopt(easy, CURLOPT_CAINFO, argv[5]);
      curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    curl_multi_add_handle(multi, easy);
  }
  while (done < requests) {
    struct epoll_event events[256];
    int running = 0, left = 0;
    const int count = epoll_wait(epoll, events, 256,
                                 timer_ms < 0 || timer_ms > 100 ? 100 : (int)timer_ms);
    for (int i = 0; i < count; ++i) {
      const int what = ((events[i].events & EPOLLIN) ? CURL_CSELECT_IN : 0) |
                       ((events[i].events & EPOLLOUT) ? CURL_CSELECT_OUT : 0);
      curl_multi_socket_action(multi, events[i].data.fd, what, &running);
    }
    if (count == 0 || timer_ms == 0) {
      timer_ms = -1;
      curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    const CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
      CURL *easy = message->easy_handle;
      if (message->data.result != CURLE_OK) {
        fail(curl_easy_strerror(message->data.result));
      }
      curl_multi_remove_handle(multi, easy);
      ++done;
      if (started >= requests) continue;
      curl_multi_add_handle(multi, easy);
      ++started;
    }
  }
  printf("%.0f %.1f\n", (double)requests / (seconds(CLOCK_MONOTONIC) - begin),
         seconds(CLOCK_PROCESS_CPUTIME_ID) * 1e6 / (double)requests);
  return 0;
}
