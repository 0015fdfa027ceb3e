// Counts the instructions that a program's main thread executes between two marks. Loaded with
// LD_PRELOAD. The program sends itself the mark (a signal) once to begin and once to end; then a line
// `instructions N` is written to its standard output.
//
// The processor's trap flag makes it stop after each instruction, so that they can be counted where
// there are no performance counters, as in virtual machines. Source: Intel SDM volume 3, 17.3.1.4.
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef __x86_64__
#error "the trap flag is one of x86-64"
#endif

// A real-time signal: Node takes back the handlers of all others when it starts.
enum { mark = 40 };
enum { trap_flag = 0x100 };

static volatile uint64_t instructions;

static void count(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)info, (void)context;
  instructions++;
}

static void begin_or_end(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)info;
  // Those that the thread will have when this handler returns to it.
  greg_t *flags = &((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL];
  *flags ^= trap_flag;
  if (*flags & trap_flag) {
    struct sigaction trap = {.sa_sigaction = count, .sa_flags = SA_SIGINFO | SA_NODEFER};
    instructions = 0;
    if (sigaction(SIGTRAP, &trap, NULL) != 0) abort();
    return;
  }
  char line[64];
  int length = snprintf(line, sizeof line, "instructions %llu\n", (unsigned long long)instructions);
  if (write(STDOUT_FILENO, line, (size_t)length) != length) abort();
}

__attribute__((constructor)) static void listen_for_marks(void) {
  struct sigaction action = {.sa_sigaction = begin_or_end, .sa_flags = SA_SIGINFO | SA_RESTART};
  if (sigaction(mark, &action, NULL) != 0) abort();
}
