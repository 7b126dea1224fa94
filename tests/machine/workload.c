// workload.c: what machine.sh and power.sh order. `hello`, `brief`, `slow`: writes its name, at once or after a while; `memory`: takes memory without an end;
// `forks`: starts processes until it can't, and writes how many there were.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int write_name(const char* name) {
  FILE* out = fopen("/sp/output/name.txt", "w");
  if (out == NULL || fprintf(out, "%s\n", name) < 0 || fclose(out) != 0) {
    perror("/sp/output/name.txt");
    return 1;
  }
  return 0;
}

static int take_memory(void) {
  for (;;) {
    char* piece = malloc(1 << 20);
    if (piece == NULL) return 1;
    memset(piece, 1, 1 << 20);
  }
}

static int start_processes(void) {
  char text[16];
  int count = 1;
  for (; count < 1000; ++count) {
    const pid_t child = fork();
    if (child < 0) break;
    if (child == 0) {
      pause();
      _exit(0);
    }
  }
  snprintf(text, sizeof text, "%d", count);
  return write_name(text);
}

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "memory") == 0) return take_memory();
  if (strcmp(what, "forks") == 0) return start_processes();
  if (strcmp(what, "slow") == 0) sleep(20);
  if (strcmp(what, "brief") == 0) sleep(1);
  return write_name(what);
}
