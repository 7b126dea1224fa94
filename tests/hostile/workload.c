/* The workload of the hostile tests: one static program that does what its first argument says. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int eat_memory(void) {
  for (;;) {
    char* piece = malloc(1 << 20);
    if (piece == NULL) return 5;
    memset(piece, 1, 1 << 20);
  }
}

static int fork_until_refused(void) {
  int children = 0;
  for (; children < 100000; ++children) {
    const pid_t child = fork();
    if (child < 0) break;
    if (child == 0) {
      pause();
      _exit(0);
    }
  }
  printf("children %s error %s\n", children < 100 ? "few" : "MANY", strerror(errno));
  fflush(stdout);
  return 6;
}

static int fill_disk(const char* path) {
  const int file = open(path, O_WRONLY | O_CREAT, 0600);
  static char piece[1 << 20];
  while (write(file, piece, sizeof piece) > 0) continue;
  printf("disk: %s\n", strerror(errno));
  return 7;
}

static void tell(const char* what, long result) {
  printf("%s: %s\n", what, result < 0 ? strerror(errno) : "ALLOWED");
}

static int try_network(const char* port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  tell("host", connect(socket(AF_INET, SOCK_STREAM, 0), (void*)&address, sizeof address));
  inet_pton(AF_INET, "192.0.2.1", &address.sin_addr);
  tell("world", connect(socket(AF_INET, SOCK_STREAM, 0), (void*)&address, sizeof address));
  tell("vsock", socket(AF_VSOCK, SOCK_STREAM, 0));
  return 0;
}

static int try_files(const char* home) {
  tell("home", open(home, O_RDONLY));
  tell("shadow", open("/etc/shadow", O_RDONLY));
  tell("init's root", open("/proc/1/root/etc/shadow", O_RDONLY));
  tell("window", open("/proc/1/fd/3", O_RDWR));
  tell("platform", open("/proc/1/fd/4", O_RDONLY));
  tell("kernel", open("/proc/kcore", O_RDONLY));
  tell("memory", open("/dev/mem", O_RDONLY));
  tell("groups", open("/sys/fs/cgroup", O_RDONLY));
  tell("write root", open("/new", O_WRONLY | O_CREAT, 0600));
  tell("device", mknod("/tmp/device", S_IFBLK | 0600, 0x0800));
  return 0;
}

/* Reads an input, upper-cases it into the output behind a prefix, and waits a moment. */
static int shout(const char* prefix, int seconds) {
  FILE* in = fopen("/sp/inputs/1/note.txt", "r");
  FILE* out = fopen("/sp/output/shout.txt", "w");
  if (in == NULL || out == NULL) return 8;
  fputs(prefix, out);
  for (int c = 0; (c = fgetc(in)) != EOF;) fputc(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c, out);
  fclose(in);
  if (fclose(out) != 0) return 9;
  sleep((unsigned)seconds);
  return 0;
}

int main(int count, char** texts) {
  const char* what = count > 1 ? texts[1] : "";
  const char* argument = count > 2 ? texts[2] : "";
  if (strcmp(what, "exit") == 0) return atoi(argument);
  if (strcmp(what, "memory") == 0) return eat_memory();
  if (strcmp(what, "fork") == 0) return fork_until_refused();
  if (strcmp(what, "disk") == 0) return fill_disk("/sp/output/large");
  if (strcmp(what, "flood") == 0) {
    for (;;) puts("all work and no play makes a log that nobody reads");
  }
  if (strcmp(what, "loop") == 0) {
    for (;;) continue;
  }
  if (strcmp(what, "sleep") == 0) return (int)sleep((unsigned)atoi(argument));
  if (strcmp(what, "network") == 0) return try_network(argument);
  if (strcmp(what, "files") == 0) return try_files(argument);
  if (strcmp(what, "shout") == 0) return shout(argument, count > 3 ? atoi(texts[3]) : 0);
  return 99;
}
