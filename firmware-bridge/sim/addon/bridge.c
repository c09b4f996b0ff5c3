#include "bridge.h"

#include <stdlib.h>
#include <string.h>

#include "values.h"

typedef struct bridge {
  napi_threadsafe_function calls;
  pthread_mutex_t lock;
  pthread_cond_t answered;
  bool closing;
} bridge;

/* An event, or a question whose asker waits. */
typedef struct message {
  sim *sim;
  const char *name;
  uint64_t number;
  char *text;
  bool is_question;
  bool is_answered;
  bool agreed;
  fwb_dock dock;
} message;

static void free_message(message *sent) {
  free(sent->text);
  free(sent);
}

static void answer(message *question) {
  bridge *to = question->sim->bridge;
  pthread_mutex_lock(&to->lock);
  question->is_answered = true;
  pthread_cond_signal(&to->answered);
  pthread_mutex_unlock(&to->lock);
}

static void done_with(message *sent) {
  if (sent->is_question) {
    answer(sent);
    return;
  }
  free_message(sent);
}

static void take_reply(napi_env env, napi_value reply, message *question) {
  if (!has(env, reply)) return;
  napi_valuetype type;
  napi_typeof(env, reply, &type);
  if (type == napi_boolean) {
    napi_get_value_bool(env, reply, &question->agreed);
  } else if (type == napi_object) {
    question->agreed =
        get_exactly(env, get(env, reply, "linkKey"), question->dock.link_key, FWB_KEY_SIZE) &&
        get_exactly(env, get(env, reply, "receiptKey"), question->dock.receipt_key, FWB_KEY_SIZE);
  }
}

/* On the JavaScript thread; without an environment (it is going down) a question is answered with
 * no. */
static void call_javascript(napi_env env, napi_value callback, void *context, void *data) {
  message *sent = data;
  (void)context;
  napi_value arguments[3];
  napi_value receiver;
  napi_value reply = NULL;
  if (env != NULL && callback != NULL && napi_get_undefined(env, &receiver) == napi_ok) {
    arguments[2] = receiver;
    napi_create_string_utf8(env, sent->name, NAPI_AUTO_LENGTH, &arguments[0]);
    napi_create_double(env, (double)sent->number, &arguments[1]);
    if (sent->text != NULL)
      napi_create_string_utf8(env, sent->text, NAPI_AUTO_LENGTH, &arguments[2]);
    if (napi_call_function(env, receiver, callback, 3, arguments, &reply) == napi_ok)
      take_reply(env, reply, sent);
  }
  done_with(sent);
}

static message *new_message(sim *sim, const char *name, uint64_t number, const char *text) {
  message *sent = calloc(1, sizeof *sent);
  if (sent == NULL) return NULL;
  sent->sim = sim;
  sent->name = name;
  sent->number = number;
  sent->text = text != NULL ? strdup(text) : NULL;
  return sent;
}

void sim_event(sim *sim, const char *name, uint64_t number, const char *text) {
  message *sent = new_message(sim, name, number, text);
  if (sent == NULL) return;
  if (napi_call_threadsafe_function(((bridge *)sim->bridge)->calls, sent, napi_tsfn_blocking) !=
      napi_ok)
    done_with(sent);
}

/* The answered question, which the caller frees; NULL when there is nobody to answer. */
static message *ask(sim *sim, const char *name, uint64_t number, const char *text) {
  bridge *to = sim->bridge;
  message *question = new_message(sim, name, number, text);
  if (question == NULL) return NULL;
  question->is_question = true;
  if (napi_call_threadsafe_function(to->calls, question, napi_tsfn_blocking) != napi_ok) {
    free_message(question);
    return NULL;
  }
  pthread_mutex_lock(&to->lock);
  while (!question->is_answered && !to->closing) pthread_cond_wait(&to->answered, &to->lock);
  const bool answered = question->is_answered;
  /* An environment that goes down still empties its queue, and frees what is no question. */
  if (!answered) question->is_question = false;
  pthread_mutex_unlock(&to->lock);
  return answered ? question : NULL;
}

int sim_ask_dock(sim *sim, const char *dock_id, fwb_dock *dock) {
  message *question = ask(sim, "find-dock", 0, dock_id);
  if (question == NULL) return FWB_ERR_NOT_FOUND;
  const bool known = question->agreed;
  *dock = question->dock;
  free_message(question);
  return known ? FWB_OK : FWB_ERR_NOT_FOUND;
}

int sim_ask_erase(sim *sim, uint64_t counter) {
  message *question = ask(sim, "erase", counter, NULL);
  const bool erased = question != NULL && question->agreed;
  if (question != NULL) free_message(question);
  if (!erased) return FWB_ERR_STORAGE;
  pthread_mutex_lock(&sim->lock);
  for (size_t i = 0; i < sim->clip_count; i++) {
    if (sim->clips[i].counter != counter) continue;
    free(sim->clips[i].path);
    sim->clips[i].path = NULL;
  }
  pthread_mutex_unlock(&sim->lock);
  return FWB_OK;
}

void *bridge_new(void) {
  bridge *to = calloc(1, sizeof *to);
  if (to == NULL) return NULL;
  pthread_mutex_init(&to->lock, NULL);
  pthread_cond_init(&to->answered, NULL);
  return to;
}

void bridge_free(void *given) {
  bridge *from = given;
  if (from == NULL) return;
  pthread_mutex_destroy(&from->lock);
  pthread_cond_destroy(&from->answered);
  free(from);
}

napi_status bridge_begin(napi_env env, sim *sim, napi_value on_event, napi_finalize finalize) {
  napi_value name;
  bridge *to = sim->bridge;
  const napi_status named =
      napi_create_string_utf8(env, "simulated camera", NAPI_AUTO_LENGTH, &name);
  if (named != napi_ok) return named;
  return napi_create_threadsafe_function(env, on_event, NULL, name, 0, 1, sim, finalize, NULL,
                                         call_javascript, &to->calls);
}

void bridge_shut(sim *sim) {
  bridge *to = sim->bridge;
  pthread_mutex_lock(&to->lock);
  to->closing = true;
  pthread_cond_signal(&to->answered);
  pthread_mutex_unlock(&to->lock);
}

void bridge_release(sim *sim) {
  napi_release_threadsafe_function(((bridge *)sim->bridge)->calls, napi_tsfn_release);
}
