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
};

struct pool;

/* NULL when memory is short. */
struct pool *pool_new(size_t threads_max);
/* 0, or a negative errno when not even one thread could be started; the task is still the caller's
 * then. */
int pool_submit(struct pool *pool, struct task *task);
/* Waits for the running tasks. Returns those that never ran, linked by `next`. */
struct task *pool_free(struct pool *pool);

#endif
