/*
 * How fast this processor runs the two primitives of sealing, through the OpenSSL inside Node,
 * which is the one that the native module uses. One thread, one buffer of 64 KiB that stays in the
 * processor's cache, contexts made once: nothing that a sealer must do besides is in the figure, so
 * that it is a limit.
 */
#define _GNU_SOURCE
#include <node_api.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { CHUNK_BYTES = 65536, TAG_BYTES = 16, NONCE_BYTES = 12, KEY_BYTES = 32, TURN_CHUNKS = 32 };

struct bench {
  EVP_CIPHER *cipher_type;
  EVP_CIPHER_CTX *cipher;
  EVP_MD *digest_type;
  EVP_MD_CTX *digest;
  uint64_t counter;
  uint8_t plain[CHUNK_BYTES];
  uint8_t sealed[CHUNK_BYTES + TAG_BYTES];
};

static struct bench bench;

static double seconds_of(clockid_t clock) {
  struct timespec now;
  (void)clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static bool prepare(void) {
  static const uint8_t key[KEY_BYTES] = {1};
  if (bench.digest != NULL)
    return true;
  memset(bench.plain, 0x5a, sizeof bench.plain);
  bench.cipher_type = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
  bench.digest_type = EVP_MD_fetch(NULL, "SHA2-256", NULL);
  bench.cipher = EVP_CIPHER_CTX_new();
  bench.digest = EVP_MD_CTX_new();
  return bench.cipher_type != NULL && bench.digest_type != NULL && bench.cipher != NULL &&
         bench.digest != NULL &&
         EVP_EncryptInit_ex2(bench.cipher, bench.cipher_type, key, NULL, NULL) == 1 &&
         EVP_DigestInit_ex2(bench.digest, bench.digest_type, NULL) == 1;
}

static bool seal_chunk(void) {
  uint8_t nonce[NONCE_BYTES] = {0};
  int size = 0;
  int tail = 0;
  bench.counter++;
  memcpy(nonce, &bench.counter, sizeof bench.counter);
  return EVP_EncryptInit_ex2(bench.cipher, NULL, NULL, nonce, NULL) == 1 &&
         EVP_EncryptUpdate(bench.cipher, bench.sealed, &size, bench.plain, CHUNK_BYTES) == 1 &&
         EVP_EncryptFinal_ex(bench.cipher, bench.sealed + size, &tail) == 1 &&
         EVP_CIPHER_CTX_ctrl(bench.cipher, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES,
                             bench.sealed + CHUNK_BYTES) == 1;
}

static bool hash_chunk(void) {
  return EVP_DigestUpdate(bench.digest, bench.plain, CHUNK_BYTES) == 1;
}

static void set_number(napi_env env, napi_value object, const char *name, double number) {
  napi_value value;
  napi_create_double(env, number, &value);
  napi_set_named_property(env, object, name, value);
}

/* measure(isDigest, seconds): {bytes, seconds, cpuSeconds} */
static napi_value measure(napi_env env, napi_callback_info info) {
  napi_value args[2];
  napi_value result;
  size_t count = 2;
  bool is_digest = false;
  double limit = 0;
  double bytes = 0;
  bool good = prepare();
  if (napi_get_cb_info(env, info, &count, args, NULL, NULL) != napi_ok ||
      napi_get_value_bool(env, args[0], &is_digest) != napi_ok ||
      napi_get_value_double(env, args[1], &limit) != napi_ok || !good) {
    napi_throw_error(env, NULL,
                     "measure(isDigest, seconds): wrong arguments, or no such algorithm");
    return NULL;
  }
  const double started = seconds_of(CLOCK_MONOTONIC);
  const double started_cpu = seconds_of(CLOCK_THREAD_CPUTIME_ID);
  double now = started;
  while (good && now - started < limit) {
    for (int i = 0; good && i < TURN_CHUNKS; i++)
      good = is_digest ? hash_chunk() : seal_chunk();
    bytes += (double)TURN_CHUNKS * CHUNK_BYTES;
    now = seconds_of(CLOCK_MONOTONIC);
  }
  napi_create_object(env, &result);
  set_number(env, result, "bytes", good ? bytes : 0);
  set_number(env, result, "seconds", now - started);
  set_number(env, result, "cpuSeconds", seconds_of(CLOCK_THREAD_CPUTIME_ID) - started_cpu);
  return result;
}

/* childrenCpuSeconds(): processor time of all children that have ended, and of theirs */
static napi_value children_cpu_seconds(napi_env env, napi_callback_info info) {
  struct rusage usage;
  napi_value result;
  (void)info;
  (void)getrusage(RUSAGE_CHILDREN, &usage);
  napi_create_double(env,
                     (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6,
                     &result);
  return result;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "measure", NAPI_AUTO_LENGTH, measure, NULL, &function);
  napi_set_named_property(env, exports, "measure", function);
  napi_create_function(env, "childrenCpuSeconds", NAPI_AUTO_LENGTH, children_cpu_seconds, NULL,
                       &function);
  napi_set_named_property(env, exports, "childrenCpuSeconds", function);
  return exports;
}
