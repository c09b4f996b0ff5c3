#define _GNU_SOURCE
#include "pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

struct pool {
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  struct task *first;
  struct task *last;
  size_t queued;
  size_t idle;
  bool closing;
  size_t threads_max;
  size_t threads;
  pthread_t handles[POOL_THREADS_MAX];
};

struct pool *pool_new(size_t threads_max) {
  struct pool *pool = calloc(1, sizeof *pool);
  if (pool == NULL)
    return NULL;
  pool->threads_max = threads_max;
  if (pthread_mutex_init(&pool->mutex, NULL) != 0) {
    free(pool);
    return NULL;
  }
  if (pthread_cond_init(&pool->wake, NULL) != 0) {
    (void)pthread_mutex_destroy(&pool->mutex);
    free(pool);
    return NULL;
  }
  return pool;
}

/* The next task, or NULL when the pool closes. Called with the mutex held. */
static struct task *next_task(struct pool *pool) {
  while (pool->first == NULL && !pool->closing) {
    pool->idle++;
    (void)pthread_cond_wait(&pool->wake, &pool->mutex);
    pool->idle--;
  }
  struct task *task = pool->first;
  if (task == NULL || pool->closing)
    return NULL;
  pool->first = task->next;
  pool->queued--;
  return task;
}

static void *work(void *context) {
  struct pool *pool = context;
  (void)pthread_mutex_lock(&pool->mutex);
  struct task *task = next_task(pool);
  while (task != NULL) {
    (void)pthread_mutex_unlock(&pool->mutex);
    task->run(task);
    (void)pthread_mutex_lock(&pool->mutex);
    task = next_task(pool);
  }
  (void)pthread_mutex_unlock(&pool->mutex);
  return NULL;
}

/* Signals stay with the threads of Node. */
static int start_thread(struct pool *pool) {
  sigset_t all;
  sigset_t before;
  (void)sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &before);
  const int result = pthread_create(&pool->handles[pool->threads], NULL, work, pool);
  (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (result == 0)
    pool->threads++;
  return -result;
}

static void append(struct pool *pool, struct task *task) {
  task->next = NULL;
  if (pool->first == NULL)
    pool->first = task;
  else
    pool->last->next = task;
  pool->last = task;
  pool->queued++;
  (void)pthread_cond_signal(&pool->wake);
}

/* A thread for one task more, where one may still be started. Called with the mutex held. */
static int grow(struct pool *pool) {
  if (pool->closing)
    return -ECANCELED;
  if (pool->queued < pool->idle || pool->threads == pool->threads_max)
    return 0;
  return start_thread(pool);
}

int pool_submit(struct pool *pool, struct task *task) {
  (void)pthread_mutex_lock(&pool->mutex);
  int result = grow(pool);
  if (result == 0 || (pool->threads > 0 && !pool->closing)) {
    result = 0;
    append(pool, task);
  }
  (void)pthread_mutex_unlock(&pool->mutex);
  return result;
}

int pool_submit_spare(struct pool *pool, struct task *task) {
  (void)pthread_mutex_lock(&pool->mutex);
  const bool may_start = pool->queued == pool->idle && pool->threads < pool->threads_max;
  int result = pool->queued < pool->idle || may_start ? grow(pool) : -EAGAIN;
  if (result == 0)
    append(pool, task);
  (void)pthread_mutex_unlock(&pool->mutex);
  return result;
}

int pool_set_threads(struct pool *pool, size_t threads_max) {
  int result = 0;
  (void)pthread_mutex_lock(&pool->mutex);
  if (pool->threads > 0)
    result = -EBUSY;
  else
    pool->threads_max = threads_max;
  (void)pthread_mutex_unlock(&pool->mutex);
  return result;
}

void pool_free(struct pool *pool) {
  (void)pthread_mutex_lock(&pool->mutex);
  pool->closing = true;
  (void)pthread_cond_broadcast(&pool->wake);
  (void)pthread_mutex_unlock(&pool->mutex);
  for (size_t i = 0; i < pool->threads; i++)
    (void)pthread_join(pool->handles[i], NULL);
  struct task *task = pool->first;
  while (task != NULL) {
    struct task *next = task->next;
    task->drop(task);
    task = next;
  }
  (void)pthread_cond_destroy(&pool->wake);
  (void)pthread_mutex_destroy(&pool->mutex);
  free(pool);
}
