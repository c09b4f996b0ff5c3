#ifndef DOCKET_WORK_H
#define DOCKET_WORK_H

/*
 * The work on one clip, cut into steps that several threads may take at once. Plain bookkeeping:
 * everything here but work_execute runs under the lock of pipeline.c.
 *
 * The clip's bytes become groups of chunks. Each group is sealed (any order, any thread), then
 * hashed on both sides in order. What is sealed lies in a ring of slabs as it will lie in the file;
 * a slab is written when it is full, in order, and used again when it was also hashed.
 */
#include "digest.h"
#include "fdio.h"
#include "sink.h"
#include "stream.h"

enum {
  SLAB_COUNT = 4,
  SLAB_BYTES = FDIO_BLOCK_BYTES / 2,
  GROUP_CHUNKS = 4,
  GROUP_COUNT = 32,
  CIPHER_COUNT = 4,
  INPUT_SPANS = 2,
};

struct group {
  struct span plain;
  uint8_t *sealed;
  size_t sealed_size;
  uint64_t file_offset;
  uint64_t first_chunk;
  bool last;
  bool is_sealed;
};

struct slab {
  /* SLAB_BYTES, and room for what the last chunk that begins in it has beyond them. */
  uint8_t *bytes;
  size_t filled;
};

struct work {
  const struct suite *suite;
  struct sink sink;
  struct digest clip_digest;
  struct digest file_digest;
  struct stream ciphers[CIPHER_COUNT];
  bool cipher_busy[CIPHER_COUNT];

  /* Not yet in groups. Whole chunks, unless they end the segment. */
  struct span input[INPUT_SPANS];
  bool ending;
  bool ended;

  /* Counts of groups: each is planned, then sealing, then hashed on both sides. */
  struct group groups[GROUP_COUNT];
  uint64_t planned;
  uint64_t sealing;
  uint64_t clip_hashed;
  uint64_t file_hashed;
  uint64_t chunk_count;
  uint64_t file_bytes;
  uint64_t file_bytes_hashed;

  struct slab slabs[SLAB_COUNT];
  uint64_t slabs_begun;
  uint64_t slabs_written;

  bool hashing_clip;
  bool hashing_file;
  bool writing;
};

struct step {
  enum { STEP_WRITE, STEP_HASH_BOTH, STEP_HASH_FILE, STEP_HASH_CLIP, STEP_SEAL } kind;
  /* Of a slab for STEP_WRITE, of a group otherwise. */
  uint64_t index;
  size_t size;
  size_t cipher;
};

int work_start_clip(struct work *work, const struct suite *suite);
/* Takes `fd`, also when it fails. */
int work_start_segment(struct work *work, int fd, struct span prefix, const uint8_t *key);
/* The bytes stay where they are until work_is_taken. */
void work_give(struct work *work, struct span first, struct span second, bool ending);
/* Cuts input into groups as far as there is room. */
int work_plan(struct work *work);

/* The step that should be taken next, if there is one. */
bool work_choose(const struct work *work, struct step *step);
void work_claim(struct work *work, const struct step *step);
/* By the one who claimed it, without the lock. */
int work_execute(struct work *work, const struct step *step);
void work_complete(struct work *work, const struct step *step);

/* Nothing of the input is needed any more. */
bool work_is_taken(const struct work *work);
bool work_is_written(const struct work *work);

/* Keys, digests and buffers are gone, the file is closed. No step runs. May be called twice. */
void work_wipe(struct work *work);

#endif
