#ifndef DOCKET_POOL_H
#define DOCKET_POOL_H

#include <stddef.h>

/*
 * INVARIANTS: a task belongs to the pool from pool_submit until `run` returned; `run` hands it on
 * itself, as its last act. Tasks start in the order of submission. Threads start when they are
 * first needed and stay.
 */
struct task {
  struct task *next;
  void (*run)(struct task *task);
  /* Instead of `run`, when the pool ends before a thread was free. */
  void (*drop)(struct task *task);
};

enum { POOL_THREADS_MAX = 8 };

struct pool;

/* `threads_max` is at most POOL_THREADS_MAX. NULL when memory is short. */
struct pool *pool_new(size_t threads_max);
/* 0, or a negative errno when not even one thread could be started; the task is still the caller's
 * then. */
int pool_submit(struct pool *pool, struct task *task);
/* The same for a task that is worth a thread only if there is one to spare; -EAGAIN otherwise. */
int pool_submit_spare(struct pool *pool, struct task *task);
/* At most this many threads from now on. -EBUSY when one was started. */
int pool_set_threads(struct pool *pool, size_t threads_max);
/* Waits for the running tasks and drops the others. */
void pool_free(struct pool *pool);

#endif
