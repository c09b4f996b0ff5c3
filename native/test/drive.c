/*
 * The module's plain C under sanitizers and valgrind, without Node around it: clips of many sizes
 * on one to four threads, sealed and opened again, cut, altered, cancelled and dropped half way.
 */
#define _GNU_SOURCE
#include "../src/fdio.h"
#include "../src/hash.h"
#include "../src/header.h"
#include "../src/open.h"
#include "../src/seal.h"
#include "../src/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PREFIX_BYTES = 184, WRITE_SIZES = 5, MIB = 1 << 20 };

static const uint8_t KEY[DOCKET_PAYLOAD_KEY_BYTES] = {1, 2, 3};
static uint8_t prefix[PREFIX_BYTES];
static char folder[] = "/tmp/docket-drive-XXXXXX";
static atomic_int passed;
static atomic_int failed;

#define CHECK(what) check((what), #what, __LINE__)

static void check(bool ok, const char *what, int line) {
  if (ok) {
    passed++;
    return;
  }
  failed++;
  (void)fprintf(stderr, "line %d: %s\n", line, what);
}

static int file_of(const char *name, int flags) {
  char path[256];
  (void)snprintf(path, sizeof path, "%s/%s", folder, name);
  return open(path, flags | O_CLOEXEC, 0600);
}

static int new_file(const char *name) {
  return file_of(name, O_RDWR | O_CREAT | O_TRUNC);
}

static uint8_t *make_clip(size_t size) {
  uint8_t *clip = malloc(size + 1);
  uint32_t state = (uint32_t)size + 1;
  for (size_t i = 0; clip != NULL && i < size; i++) {
    state = state * 1664525 + 1013904223;
    clip[i] = (uint8_t)(state >> 24);
  }
  return clip;
}

struct rig {
  struct suite suite;
  struct pool *pool;
};

static struct rig rig_new(size_t threads, bool lanes) {
  struct rig rig = {0};
  CHECK(suite_init(&rig.suite) == 0);
  rig.suite.has_lanes = rig.suite.has_lanes && lanes;
  rig.pool = pool_new(threads);
  CHECK(rig.pool != NULL);
  return rig;
}

static void rig_free(struct rig *rig) {
  pool_free(rig->pool);
  suite_free(&rig->suite);
}

static int seal_all(struct seal *seal, const uint8_t *clip, size_t size, size_t write_size) {
  int result = 0;
  for (size_t at = 0; at < size && result == 0; at += write_size) {
    const size_t left = size - at;
    result = seal_write(seal, clip + at, left < write_size ? left : write_size);
  }
  return result;
}

static void seal_and_open(struct rig *rig, size_t size, size_t write_size) {
  struct segment_result sealed = {0}, opened = {0};
  uint8_t wanted[32], clip_sha256[32], open_sha256[32], disk_sha256[32];
  uint64_t sealed_bytes = 0, opened_bytes = 0, disk_bytes = 0;
  atomic_bool cancelled = false;
  uint8_t *clip = make_clip(size);
  const int fd = new_file("clip.age");
  const int out = new_file("clip");
  struct seal *seal = seal_new(&rig->suite, rig->pool);
  struct opening *opening = opening_new(&rig->suite);
  CHECK(seal_begin_segment(seal, dup(fd), prefix, sizeof prefix, KEY) == 0);
  CHECK(seal_all(seal, clip, size, write_size) == 0);
  CHECK(seal_end_segment(seal, &sealed) == 0);
  CHECK(seal_finish(seal, &sealed_bytes, clip_sha256) == 0);
  seal_free(seal);
  CHECK(sealed.plain_bytes == size && sealed_bytes == size);

  const struct open_request request = {fd, out, prefix, sizeof prefix, KEY};
  CHECK(opening_segment(opening, &request, &opened) == 0);
  CHECK(opening_finish(opening, &opened_bytes, open_sha256) == 0);
  opening_free(opening);
  CHECK(EVP_Digest(clip, size, wanted, NULL, rig->suite.sha256, NULL) == 1);
  CHECK(opened_bytes == size && memcmp(wanted, open_sha256, 32) == 0);
  CHECK(memcmp(wanted, clip_sha256, 32) == 0);
  CHECK(hash_file(&rig->suite, fd, &cancelled, &disk_bytes, disk_sha256) == 0);
  CHECK(disk_bytes == sealed.file_bytes && memcmp(disk_sha256, sealed.file_sha256, 32) == 0);
  CHECK(memcmp(disk_sha256, opened.file_sha256, 32) == 0);
  CHECK((fcntl(fd, F_GETFL) & O_DIRECT) == 0);
  (void)close(fd);
  (void)close(out);
  free(clip);
}

static void every_size(bool short_run) {
  static const size_t sizes[] = {0,       1,           65535,       65536,   65537,
                                 131072,  1048392,     MIB - 184,   MIB,     MIB + 1,
                                 4 * MIB, 5 * MIB + 7, 7 * MIB - 1, 9 * MIB, 12345678};
  static const size_t writes[WRITE_SIZES] = {1000, 65536, 100001, MIB, 64 * MIB};
  for (size_t threads = 1; threads <= 4; threads++) {
    struct rig rig = rig_new(threads, threads % 2 == 0);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
      const size_t write_size = writes[(i + threads) % WRITE_SIZES];
      if (!short_run || sizes[i] < 2 * MIB)
        seal_and_open(&rig, sizes[i], write_size);
    }
    rig_free(&rig);
  }
}

static void damaged_files_are_refused(struct rig *rig) {
  static const off_t cuts[] = {PREFIX_BYTES, PREFIX_BYTES + 15, PREFIX_BYTES + 65552};
  struct segment_result result;
  uint8_t *clip = make_clip(200000);
  for (size_t i = 0; i < sizeof cuts / sizeof cuts[0] + 1; i++) {
    const int fd = new_file("damaged.age");
    const int out = new_file("damaged");
    struct seal *seal = seal_new(&rig->suite, rig->pool);
    struct opening *opening = opening_new(&rig->suite);
    CHECK(seal_begin_segment(seal, dup(fd), prefix, sizeof prefix, KEY) == 0);
    CHECK(seal_write(seal, clip, 200000) == 0);
    CHECK(seal_end_segment(seal, &result) == 0);
    seal_free(seal);
    if (i < sizeof cuts / sizeof cuts[0])
      CHECK(ftruncate(fd, cuts[i]) == 0);
    else
      CHECK(pwrite(fd, "x", 1, 70000) == 1);
    const struct open_request request = {fd, out, prefix, sizeof prefix, KEY};
    CHECK(opening_segment(opening, &request, &result) == DOCKET_ERR_PAYLOAD);
    CHECK(lseek(out, 0, SEEK_END) % STREAM_CHUNK_BYTES == 0);
    opening_free(opening);
    (void)close(fd);
    (void)close(out);
  }
  free(clip);
}

/* The rest of a clip in another sealing, which may hash in another way, ends in the same digest. */
static void goes_on_from_a_midstate(bool lanes_before, bool lanes_after) {
  enum { SEGMENT = 3 * MIB + 64, SIZE = 2 * SEGMENT + 12345 };
  struct rig rigs[] = {rig_new(2, lanes_before), rig_new(2, lanes_after)};
  struct segment_result result;
  struct midstate midstate;
  uint64_t bytes = 0;
  uint8_t wanted[32], got[32];
  uint8_t *clip = make_clip(SIZE);
  struct seal *seal = seal_new(&rigs[0].suite, rigs[0].pool);
  CHECK(seal_begin_segment(seal, -1, prefix, sizeof prefix, KEY) == 0);
  CHECK(seal_export(seal, &midstate) == DOCKET_ERR_STATE);
  CHECK(seal_import(seal, &midstate) == DOCKET_ERR_STATE);
  CHECK(seal_write(seal, clip, SEGMENT) == 0);
  CHECK(seal_end_segment(seal, &result) == 0);
  CHECK(seal_export(seal, &midstate) == 0);
  CHECK(midstate.size == SEGMENT);
  seal_free(seal);
  seal = seal_new(&rigs[1].suite, rigs[1].pool);
  CHECK(seal_import(seal, &midstate) == 0);
  CHECK(seal_import(seal, &midstate) == DOCKET_ERR_STATE);
  for (size_t at = SEGMENT; at < SIZE; at += SEGMENT) {
    const size_t left = SIZE - at;
    CHECK(seal_begin_segment(seal, -1, prefix, sizeof prefix, KEY) == 0);
    CHECK(seal_write(seal, clip + at, left < SEGMENT ? left : SEGMENT) == 0);
    CHECK(seal_end_segment(seal, &result) == 0);
  }
  CHECK(seal_export(seal, &midstate) == DOCKET_ERR_STATE);
  CHECK(seal_finish(seal, &bytes, got) == 0);
  CHECK(EVP_Digest(clip, SIZE, wanted, NULL, rigs[0].suite.sha256, NULL) == 1);
  CHECK(bytes == SIZE && memcmp(wanted, got, sizeof wanted) == 0);
  seal_free(seal);
  free(clip);
  rig_free(&rigs[0]);
  rig_free(&rigs[1]);
}

static void full_disk_is_said_and_final(struct rig *rig) {
  struct segment_result result;
  uint8_t *clip = make_clip(8 * MIB);
  struct seal *seal = seal_new(&rig->suite, rig->pool);
  CHECK(seal_begin_segment(seal, open("/dev/full", O_WRONLY), prefix, sizeof prefix, KEY) == 0);
  int told = seal_write(seal, clip, 8 * MIB);
  if (told == 0)
    told = seal_end_segment(seal, &result);
  CHECK(told == -ENOSPC);
  CHECK(seal_write(seal, clip, 1) == -ENOSPC);
  CHECK(seal_end_segment(seal, &result) == -ENOSPC);
  seal_free(seal);
  free(clip);
}

static void *cancel_soon(void *context) {
  (void)usleep(500);
  seal_cancel(context);
  return NULL;
}

static void cancelled_in_the_middle(struct rig *rig, size_t rounds) {
  uint8_t *clip = make_clip(16 * MIB);
  for (size_t i = 0; i < rounds; i++) {
    pthread_t thread;
    struct seal *seal = seal_new(&rig->suite, rig->pool);
    CHECK(seal_begin_segment(seal, new_file("cancelled"), prefix, sizeof prefix, KEY) == 0);
    CHECK(pthread_create(&thread, NULL, cancel_soon, seal) == 0);
    int result = 0;
    while (result == 0)
      result = seal_write(seal, clip, 16 * MIB);
    CHECK(result == DOCKET_ERR_CANCELLED);
    CHECK(seal_write(seal, clip, 1) == DOCKET_ERR_CANCELLED);
    CHECK(pthread_join(thread, NULL) == 0);
    seal_free(seal);
  }
  free(clip);
}

/* Dropped while helpers may still write, or wait for a thread. */
static void dropped(struct rig *rig, size_t rounds) {
  uint8_t *clip = make_clip(3 * MIB);
  const int fd = new_file("dropped");
  for (size_t i = 0; i < rounds; i++) {
    struct seal *seal = seal_new(&rig->suite, rig->pool);
    struct opening *opening = opening_new(&rig->suite);
    if (i % 5 != 0)
      CHECK(seal_begin_segment(seal, dup(fd), prefix, sizeof prefix, KEY) == 0);
    if (i % 10 == 3)
      CHECK(seal_write(seal, clip, 100 + i % 65000) == 0);
    if (i % 100 == 1)
      CHECK(seal_write(seal, clip, 3 * MIB) == 0);
    if (i % 3 == 0)
      seal_wipe(seal);
    seal_free(seal);
    opening_free(opening);
  }
  (void)close(fd);
  free(clip);
}

struct bay {
  struct rig *rig;
  uint8_t sha256[32];
};

static void *seal_one(void *context) {
  struct bay *bay = context;
  struct segment_result result;
  uint64_t bytes = 0;
  uint8_t *clip = make_clip(6 * MIB);
  struct seal *seal = seal_new(&bay->rig->suite, bay->rig->pool);
  for (int segment = 0; segment < 3; segment++) {
    CHECK(seal_begin_segment(seal, -1, prefix, sizeof prefix, KEY) == 0);
    CHECK(seal_all(seal, clip, 6 * MIB, MIB + 5) == 0);
    CHECK(seal_end_segment(seal, &result) == 0);
  }
  CHECK(seal_finish(seal, &bytes, bay->sha256) == 0);
  seal_free(seal);
  free(clip);
  return NULL;
}

static void eight_at_once(struct rig *rig) {
  pthread_t threads[8];
  struct bay bays[8];
  for (size_t i = 0; i < 8; i++) {
    bays[i].rig = rig;
    CHECK(pthread_create(&threads[i], NULL, seal_one, &bays[i]) == 0);
  }
  for (size_t i = 0; i < 8; i++)
    CHECK(pthread_join(threads[i], NULL) == 0);
  for (size_t i = 1; i < 8; i++)
    CHECK(memcmp(bays[0].sha256, bays[i].sha256, 32) == 0);
}

/* Refuses what age refuses, and leaves nothing behind that the next call would trip over. */
static void headers_are_made(struct rig *rig) {
  static const uint8_t points[2][HEADER_POINT_BYTES] = {{9}, {5}};
  static const uint8_t low_order[HEADER_POINT_BYTES];
  struct header first, second;
  CHECK(header_make(&first, &rig->suite, points[0], 2) == 0);
  CHECK(header_make(&second, &rig->suite, points[0], 2) == 0);
  CHECK(first.size == second.size && memcmp(first.bytes, second.bytes, first.size) != 0);
  CHECK(memcmp(first.payload_key, second.payload_key, sizeof first.payload_key) != 0);
  CHECK(header_make(&first, &rig->suite, low_order, 1) == DOCKET_ERR_CRYPTO);
  CHECK(header_make(&first, &rig->suite, points[0], 0) == DOCKET_ERR_CRYPTO);
  CHECK(ERR_peek_error() == 0);
}

/* `short`: what is bearable under valgrind. */
int main(int argc, char **argv) {
  const bool is_short = argc > 1 && strcmp(argv[1], "short") == 0;
  if (mkdtemp(folder) == NULL)
    return 2;
  every_size(is_short);
  for (unsigned way = 0; way < 4; way++)
    goes_on_from_a_midstate((way & 1) != 0, (way & 2) != 0);
  for (size_t threads = 1; threads <= 3; threads += 2) {
    struct rig rig = rig_new(threads, true);
    headers_are_made(&rig);
    damaged_files_are_refused(&rig);
    full_disk_is_said_and_final(&rig);
    cancelled_in_the_middle(&rig, is_short ? 2 : 20);
    dropped(&rig, is_short ? 200 : 10000);
    if (!is_short)
      eight_at_once(&rig);
    rig_free(&rig);
  }
  static const char *const names[] = {"clip.age", "clip",      "damaged.age",
                                      "damaged",  "cancelled", "dropped"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    (void)unlink(path);
  }
  CHECK(rmdir(folder) == 0);
  (void)printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
