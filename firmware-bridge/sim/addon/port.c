#include <fcntl.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "sim.h"

uint64_t sim_monotonic_ms(void *context) {
  struct timespec now;
  (void)context;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static int64_t clock_get(void *context) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 +
         ((const sim *)context)->clock_ahead_ms;
}

/* The simulated camera keeps its own time; the computer's clock is not touched. */
static int clock_set(void *context, int64_t utc_ms) {
  sim *it = context;
  const int64_t four_centuries_ms = INT64_C(400) * 366 * 86400 * 1000;
  if (utc_ms < 0 || utc_ms > four_centuries_ms) return FWB_ERR_ARGUMENT;
  it->clock_ahead_ms += utc_ms - clock_get(context);
  it->clock_quality = 2;
  return FWB_OK;
}

static int find_clip(void *context, uint64_t from, uint8_t record[FWB_RECORD_SIZE_MAX],
                     size_t *length) {
  sim *it = context;
  int result = FWB_ERR_NOT_FOUND;
  pthread_mutex_lock(&it->lock);
  for (size_t i = 0; i < it->clip_count && result != FWB_OK; i++) {
    if (it->clips[i].path == NULL || it->clips[i].counter < from) continue;
    memcpy(record, it->clips[i].record, it->clips[i].record_length);
    *length = it->clips[i].record_length;
    result = FWB_OK;
  }
  pthread_mutex_unlock(&it->lock);
  return result;
}

static uint64_t last_counter(void *context) {
  sim *it = context;
  pthread_mutex_lock(&it->lock);
  const uint64_t last = it->last_counter;
  pthread_mutex_unlock(&it->lock);
  return last;
}

void sim_clip_close(sim *sim) {
  if (sim->clip_fd >= 0) close(sim->clip_fd);
  sim->clip_fd = -1;
}

static int open_clip(sim *it, uint64_t counter) {
  if (it->clip_fd >= 0 && it->clip_fd_counter == counter) return FWB_OK;
  sim_clip_close(it);
  pthread_mutex_lock(&it->lock);
  for (size_t i = 0; i < it->clip_count; i++) {
    if (it->clips[i].counter == counter && it->clips[i].path != NULL)
      it->clip_fd = open(it->clips[i].path, O_RDONLY | O_CLOEXEC);
  }
  pthread_mutex_unlock(&it->lock);
  it->clip_fd_counter = counter;
  return it->clip_fd >= 0 ? FWB_OK : FWB_ERR_STORAGE;
}

static int read_clip(void *context, uint64_t counter, uint64_t offset, uint8_t *bytes,
                     size_t length) {
  sim *it = context;
  if (open_clip(it, counter) != FWB_OK) return FWB_ERR_STORAGE;
  for (size_t done = 0; done < length;) {
    const ssize_t count = pread(it->clip_fd, bytes + done, length - done, (off_t)(offset + done));
    if (count <= 0) return FWB_ERR_STORAGE;
    done += (size_t)count;
  }
  pthread_mutex_lock(&it->lock);
  const bool flip = it->faults.flip_content;
  pthread_mutex_unlock(&it->lock);
  if (flip && offset == 0 && length > 0) bytes[0] ^= 1;
  return FWB_OK;
}

/* JavaScript owns the store's index: it marks the clip erased, durably, and unlinks its bytes. */
static int erase_clip(void *context, uint64_t counter) {
  sim *it = context;
  if (it->clip_fd_counter == counter) sim_clip_close(it);
  return sim_ask_erase(it, counter);
}

static int hash_sha256(void *context, const uint8_t *bytes, size_t length,
                       uint8_t digest[FWB_SHA256_SIZE]) {
  unsigned size = FWB_SHA256_SIZE;
  (void)context;
  return EVP_Digest(bytes, length, digest, &size, EVP_sha256(), NULL) == 1 ? FWB_OK
                                                                           : FWB_ERR_CRYPTO;
}

EVP_PKEY *sim_key_from_seed(const uint8_t seed[32]) {
  return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
}

int sim_sign_with(EVP_PKEY *key, const uint8_t *bytes, size_t length, uint8_t signature[64]) {
  EVP_MD_CTX *digest = EVP_MD_CTX_new();
  size_t size = FWB_SIGNATURE_SIZE;
  const bool signed_it = digest != NULL && EVP_DigestSignInit(digest, NULL, NULL, NULL, key) == 1 &&
                         EVP_DigestSign(digest, signature, &size, bytes, length) == 1;
  EVP_MD_CTX_free(digest);
  return signed_it ? FWB_OK : FWB_ERR_CRYPTO;
}

static int sign(void *context, const uint8_t *bytes, size_t length,
                uint8_t signature[FWB_SIGNATURE_SIZE]) {
  return sim_sign_with(((sim *)context)->key, bytes, length, signature);
}

static int verify(void *context, const uint8_t key[FWB_KEY_SIZE], fwb_span message,
                  const uint8_t signature[FWB_SIGNATURE_SIZE]) {
  (void)context;
  EVP_PKEY *public_key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, FWB_KEY_SIZE);
  EVP_MD_CTX *digest = EVP_MD_CTX_new();
  const bool right =
      public_key != NULL && digest != NULL &&
      EVP_DigestVerifyInit(digest, NULL, NULL, NULL, public_key) == 1 &&
      EVP_DigestVerify(digest, signature, FWB_SIGNATURE_SIZE, message.bytes, message.length) == 1;
  EVP_MD_CTX_free(digest);
  EVP_PKEY_free(public_key);
  return right ? FWB_OK : FWB_ERR_NOT_AUTHENTIC;
}

static int random_bytes(void *context, uint8_t *bytes, size_t length) {
  (void)context;
  return RAND_bytes(bytes, (int)length) == 1 ? FWB_OK : FWB_ERR_CRYPTO;
}

static int status(void *context, fwb_status *into) {
  const sim *it = context;
  struct statvfs disk;
  if (statvfs(it->store, &disk) != 0) return FWB_ERR_STORAGE;
  into->battery_percent = 87;
  into->charging = true;
  into->recording = false;
  into->storage_bytes = (uint64_t)disk.f_blocks * disk.f_frsize;
  into->storage_free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
  into->clock_quality = it->clock_quality;
  return FWB_OK;
}

static int find_dock(void *context, const char *dock_id, fwb_dock *dock) {
  return sim_ask_dock(context, dock_id, dock);
}

void sim_port_init(sim *sim) {
  const fwb_port port = {
      .context = sim,
      .serial = sim->serial,
      .firmware = "simulated 1",
      .find_clip = find_clip,
      .read_clip = read_clip,
      .erase_clip = erase_clip,
      .last_counter = last_counter,
      .sha256 = hash_sha256,
      .sign = sim->key != NULL ? sign : NULL,
      .verify = verify,
      .random = random_bytes,
      .monotonic_ms = sim_monotonic_ms,
      .clock_get = clock_get,
      .clock_set = clock_set,
      .status = status,
      .find_dock = find_dock,
      .set_rate = sim->rate_count > 0 ? sim_set_rate : NULL,
      .rates = sim->rates,
      .rate_count = sim->rate_count,
      .base_rate = sim->rates[0],
  };
  sim->port = port;
}
