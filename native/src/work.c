#include "work.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static_assert(SLAB_COUNT * (SLAB_BYTES / STREAM_SEALED_CHUNK_BYTES + 2) / GROUP_CHUNKS <
                  GROUP_COUNT,
              "the slabs limit what is under way, not the groups");

static size_t smaller(size_t a, size_t b) {
  return a < b ? a : b;
}

static struct group *group_at(struct work *work, uint64_t index) {
  return &work->groups[index % GROUP_COUNT];
}

static struct slab *slab_at(struct work *work, uint64_t index) {
  return &work->slabs[index % SLAB_COUNT];
}

int work_start_clip(struct work *work, const struct suite *suite) {
  work->suite = suite;
  work->sink.fd = SINK_NOWHERE;
  return digest_start(&work->clip_digest, suite, DIGEST_PAIRED);
}

/* 0, -ENOMEM, or -EAGAIN while the slab that was there before is still in use. */
static int begin_slab(struct work *work) {
  const uint64_t index = work->slabs_begun;
  struct slab *slab = slab_at(work, index);
  if (index >= SLAB_COUNT) {
    const uint64_t before = index - SLAB_COUNT;
    if (work->slabs_written <= before || work->file_bytes_hashed < (before + 1) * SLAB_BYTES)
      return -EAGAIN;
  }
  if (slab->bytes == NULL)
    slab->bytes = fdio_alloc(SLAB_BYTES + STREAM_SEALED_CHUNK_BYTES);
  if (slab->bytes == NULL)
    return -ENOMEM;
  slab->filled = 0;
  work->slabs_begun++;
  return 0;
}

static void reset_counts(struct work *work) {
  work->ending = false;
  work->ended = false;
  work->planned = 0;
  work->sealing = 0;
  work->clip_hashed = 0;
  work->file_hashed = 0;
  work->chunk_count = 0;
  work->file_bytes = 0;
  work->file_bytes_hashed = 0;
  work->slabs_begun = 0;
  work->slabs_written = 0;
}

int work_start_segment(struct work *work, int fd, struct span prefix, const uint8_t *key) {
  sink_close(&work->sink);
  sink_open(&work->sink, fd);
  reset_counts(work);
  int result = digest_start(&work->file_digest, work->suite, DIGEST_PAIRED);
  for (size_t i = 0; i < CIPHER_COUNT && result == 0; i++)
    result = stream_start_sealing(&work->ciphers[i], work->suite, key);
  if (result == 0)
    result = begin_slab(work);
  if (result == 0)
    result = digest_update(&work->file_digest, prefix);
  if (result != 0)
    return result;
  memcpy(work->slabs[0].bytes, prefix.bytes, prefix.size);
  work->slabs[0].filled = prefix.size;
  work->file_bytes = prefix.size;
  work->file_bytes_hashed = prefix.size;
  return 0;
}

void work_give(struct work *work, struct span first, struct span second, bool ending) {
  work->input[0] = first;
  work->input[1] = second;
  work->ending = ending;
}

static struct span *next_input(struct work *work) {
  for (size_t i = 0; i < INPUT_SPANS; i++)
    if (work->input[i].size > 0)
      return &work->input[i];
  /* age: an empty payload is one empty chunk. */
  return work->ending && !work->ended ? &work->input[0] : NULL;
}

static size_t divide_up(size_t size, size_t unit) {
  return (size + unit - 1) / unit;
}

/* 0, -EAGAIN while there is no room, or an error. */
static int plan_group(struct work *work, struct span *input) {
  const uint64_t slab = work->file_bytes / SLAB_BYTES;
  const size_t at = (size_t)(work->file_bytes % SLAB_BYTES);
  const size_t wanted = input->size == 0 ? 1 : divide_up(input->size, STREAM_CHUNK_BYTES);
  const size_t room = divide_up(SLAB_BYTES - at, STREAM_SEALED_CHUNK_BYTES);
  const size_t chunks = smaller(smaller(wanted, room), GROUP_CHUNKS);
  const size_t plain = smaller(input->size, chunks * STREAM_CHUNK_BYTES);
  const size_t sealed = plain + chunks * STREAM_TAG_BYTES;
  const uint64_t slabs_needed = slab + (at + sealed > SLAB_BYTES ? 2 : 1);
  while (work->slabs_begun < slabs_needed) {
    const int result = begin_slab(work);
    if (result != 0)
      return result;
  }
  *group_at(work, work->planned++) = (struct group){
      .plain = {input->bytes, plain},
      .sealed = slab_at(work, slab)->bytes + at,
      .sealed_size = sealed,
      .file_offset = work->file_bytes,
      .first_chunk = work->chunk_count,
      .last = work->ending && plain == input->size,
  };
  work->chunk_count += chunks;
  work->file_bytes += sealed;
  work->ended = work->ending;
  input->bytes += plain;
  input->size -= plain;
  return 0;
}

int work_plan(struct work *work) {
  struct span *input = next_input(work);
  while (input != NULL) {
    const uint64_t done =
        work->clip_hashed < work->file_hashed ? work->clip_hashed : work->file_hashed;
    if (work->planned - done == GROUP_COUNT)
      return 0;
    const int result = plan_group(work, input);
    if (result != 0)
      return result == -EAGAIN ? 0 : result;
    input = next_input(work);
  }
  return 0;
}

/* The bytes of the slab that is next to be written, or 0 when it is not whole. */
static size_t slab_ready(const struct work *work) {
  const struct slab *slab = &work->slabs[work->slabs_written % SLAB_COUNT];
  if (work->writing || work->slabs_written == work->slabs_begun)
    return 0;
  if (slab->filled == SLAB_BYTES)
    return SLAB_BYTES;
  const uint64_t left = work->file_bytes - work->slabs_written * SLAB_BYTES;
  return work->ended && slab->filled == left ? slab->filled : 0;
}

static bool find_cipher(const struct work *work, size_t *cipher) {
  for (*cipher = 0; *cipher < CIPHER_COUNT; (*cipher)++)
    if (!work->cipher_busy[*cipher])
      return true;
  return false;
}

/* A write keeps the disk busy and costs little; hashing is the longest chain; sealing feeds both.
 */
bool work_choose(const struct work *work, struct step *step) {
  const bool sealed =
      work->file_hashed < work->sealing && work->groups[work->file_hashed % GROUP_COUNT].is_sealed;
  const bool clip = !work->hashing_clip && work->clip_hashed < work->planned;
  const bool file = !work->hashing_file && sealed;
  const bool seal = work->sealing < work->planned && find_cipher(work, &step->cipher);
  step->size = slab_ready(work);
  step->index = work->file_hashed;
  if (step->size > 0)
    *step = (struct step){.kind = STEP_WRITE, .index = work->slabs_written, .size = step->size};
  else if (work->suite->has_lanes && clip && file)
    step->kind = STEP_HASH_BOTH;
  else if (!work->suite->has_lanes && file)
    step->kind = STEP_HASH_FILE;
  else if (!work->suite->has_lanes && clip && (!seal || work->clip_hashed < work->sealing))
    *step = (struct step){.kind = STEP_HASH_CLIP, .index = work->clip_hashed};
  else if (seal)
    *step = (struct step){.kind = STEP_SEAL, .index = work->sealing, .cipher = step->cipher};
  else
    return false;
  return true;
}

/* What a step takes for itself alone while it runs. */
static void set_taken(struct work *work, const struct step *step, bool taken) {
  if (step->kind == STEP_WRITE)
    work->writing = taken;
  if (step->kind == STEP_HASH_BOTH || step->kind == STEP_HASH_FILE)
    work->hashing_file = taken;
  if (step->kind == STEP_HASH_BOTH || step->kind == STEP_HASH_CLIP)
    work->hashing_clip = taken;
  if (step->kind == STEP_SEAL)
    work->cipher_busy[step->cipher] = taken;
}

void work_claim(struct work *work, const struct step *step) {
  set_taken(work, step, true);
  if (step->kind == STEP_SEAL)
    work->sealing++;
}

static size_t overflow_of(const struct group *group) {
  const size_t end = (size_t)(group->file_offset % SLAB_BYTES) + group->sealed_size;
  return end > SLAB_BYTES ? end - SLAB_BYTES : 0;
}

static int seal_group(struct work *work, const struct group *group, struct stream *cipher) {
  struct span plain = group->plain;
  uint8_t *sealed = group->sealed;
  const uint8_t *end = group->sealed + group->sealed_size;
  cipher->counter = group->first_chunk;
  while (sealed < end) {
    const size_t size = smaller(plain.size, STREAM_CHUNK_BYTES);
    const bool last = group->last && size == plain.size;
    const int result = stream_seal_chunk(cipher, plain.bytes, size, last, sealed);
    if (result != 0)
      return result;
    plain.bytes += size;
    plain.size -= size;
    sealed += size + STREAM_TAG_BYTES;
  }
  const size_t overflow = overflow_of(group);
  if (overflow > 0)
    memcpy(slab_at(work, group->file_offset / SLAB_BYTES + 1)->bytes, end - overflow, overflow);
  return 0;
}

static int write_slab(struct work *work, const struct step *step) {
  uint8_t *bytes = slab_at(work, step->index)->bytes;
  return sink_write(&work->sink, bytes, step->size, step->index * SLAB_BYTES);
}

static int execute_on_group(struct work *work, const struct step *step) {
  const struct group *group = group_at(work, step->index);
  const struct span sealed = {group->sealed, group->sealed_size};
  if (step->kind == STEP_HASH_BOTH)
    return digest_update_pair(&work->clip_digest, group->plain, &work->file_digest, sealed);
  if (step->kind == STEP_HASH_FILE)
    return digest_update(&work->file_digest, sealed);
  if (step->kind == STEP_HASH_CLIP)
    return digest_update(&work->clip_digest, group->plain);
  return seal_group(work, group, &work->ciphers[step->cipher]);
}

int work_execute(struct work *work, const struct step *step) {
  return step->kind == STEP_WRITE ? write_slab(work, step) : execute_on_group(work, step);
}

static void complete_sealing(struct work *work, struct group *group) {
  const size_t overflow = overflow_of(group);
  const uint64_t slab = group->file_offset / SLAB_BYTES;
  slab_at(work, slab)->filled += group->sealed_size - overflow;
  if (overflow > 0)
    slab_at(work, slab + 1)->filled += overflow;
  group->is_sealed = true;
}

void work_complete(struct work *work, const struct step *step) {
  struct group *group = group_at(work, step->index);
  set_taken(work, step, false);
  if (step->kind == STEP_SEAL)
    complete_sealing(work, group);
  if (step->kind == STEP_WRITE)
    work->slabs_written++;
  if (step->kind == STEP_HASH_BOTH || step->kind == STEP_HASH_CLIP)
    work->clip_hashed++;
  if (step->kind == STEP_HASH_BOTH || step->kind == STEP_HASH_FILE) {
    work->file_hashed++;
    work->file_bytes_hashed += group->sealed_size;
  }
}

bool work_is_taken(const struct work *work) {
  return work->input[0].size == 0 && work->input[1].size == 0 && work->ending == work->ended &&
         work->clip_hashed == work->planned && work->file_hashed == work->planned;
}

bool work_is_written(const struct work *work) {
  return !work->writing && work->slabs_written * SLAB_BYTES >= work->file_bytes;
}

void work_wipe(struct work *work) {
  for (size_t i = 0; i < CIPHER_COUNT; i++)
    stream_close(&work->ciphers[i]);
  digest_wipe(&work->clip_digest);
  digest_wipe(&work->file_digest);
  /* Sealed bytes are no secret. */
  for (size_t i = 0; i < SLAB_COUNT; i++) {
    free(work->slabs[i].bytes);
    work->slabs[i].bytes = NULL;
  }
  sink_close(&work->sink);
}
