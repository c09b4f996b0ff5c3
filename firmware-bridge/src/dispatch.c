#include "internal.h"

enum { ANY_LENGTH = -1 };

static void malformed(fwb_camera *camera, uint32_t request) {
  fwb_answer_error(camera, request, FWB_CODE_MALFORMED, "malformed");
}

static void on_status(fwb_camera *camera, const fwb_frame *frame) {
  const fwb_port *port = camera->port;
  fwb_status status;
  memset(&status, 0, sizeof status);
  if (port->status(port->context, &status) != FWB_OK) {
    fwb_answer_error(camera, frame->request, FWB_CODE_STORAGE, "no status");
    return;
  }
  fwb_writer writer = fwb_answer_writer(camera);
  fwb_write_u8(&writer, status.battery_percent);
  fwb_write_u8(&writer, (uint8_t)((status.charging ? 1u : 0u) | (status.recording ? 2u : 0u)));
  fwb_write_u64(&writer, status.storage_bytes);
  fwb_write_u64(&writer, status.storage_free_bytes);
  fwb_write_u64(&writer, (uint64_t)port->clock_get(port->context));
  fwb_write_u8(&writer, status.clock_quality);
  fwb_write_string8(&writer, fwb_span_of(port->firmware));
  fwb_answer(camera, FWB_STATUS_OK, frame->request, &writer);
}

static void on_list(fwb_camera *camera, const fwb_frame *frame) {
  fwb_reader reader = fwb_reader_of(frame->payload);
  camera->list_next = fwb_read_u53(&reader);
  camera->list_left = fwb_read_u16(&reader);
  camera->list_sent = 0;
  camera->list_request = frame->request;
  if (!fwb_reader_done(&reader)) {
    malformed(camera, frame->request);
    return;
  }
  camera->listing = true;
}

/* Reads the record at or after a counter; FWB_ERR_NOT_FOUND, FWB_ERR_STORAGE. `bytes` backs the
 * record's strings. */
static int find_record(const fwb_camera *camera, uint64_t from, uint8_t bytes[FWB_RECORD_SIZE_MAX],
                       fwb_record *record) {
  const fwb_port *port = camera->port;
  size_t length = 0;
  const int found = port->find_clip(port->context, from, bytes, &length);
  if (found != FWB_OK) return found == FWB_ERR_NOT_FOUND ? found : FWB_ERR_STORAGE;
  if (fwb_record_decode(bytes, length, record) != FWB_OK || record->counter < from)
    return FWB_ERR_STORAGE;
  return FWB_OK;
}

void fwb_list_step(fwb_camera *camera) {
  const fwb_port *port = camera->port;
  fwb_writer writer = fwb_answer_writer(camera);
  fwb_record record;
  size_t length = 0;
  const int found = port->find_clip(port->context, camera->list_next, writer.bytes, &length);
  const bool held = found == FWB_OK && fwb_record_decode(writer.bytes, length, &record) == FWB_OK &&
                    record.counter >= camera->list_next;
  if (!held && found != FWB_ERR_NOT_FOUND) {
    camera->listing = false;
    fwb_answer_error(camera, camera->list_request, FWB_CODE_STORAGE, "index");
    return;
  }
  if (held && camera->list_left > 0) {
    camera->list_left--;
    camera->list_sent++;
    camera->list_next = record.counter + 1u;
    writer.length = length;
    fwb_answer(camera, FWB_RECORD, camera->list_request, &writer);
    return;
  }
  camera->listing = false;
  fwb_write_u64(&writer, held ? record.counter : 0);
  fwb_write_u16(&writer, camera->list_sent);
  fwb_answer(camera, FWB_RECORDS_END, camera->list_request, &writer);
}

static void on_read(fwb_camera *camera, const fwb_frame *frame) {
  uint8_t bytes[FWB_RECORD_SIZE_MAX];
  fwb_record record;
  fwb_reader reader = fwb_reader_of(frame->payload);
  const uint64_t counter = fwb_read_u53(&reader);
  const uint64_t offset = fwb_read_u53(&reader);
  const uint32_t length = fwb_read_u32(&reader);
  const uint32_t most = fwb_read_u32(&reader);
  if (!fwb_reader_done(&reader)) {
    malformed(camera, frame->request);
    return;
  }
  const int found = find_record(camera, counter, bytes, &record);
  const bool limits = length >= 1 && length <= FWB_READ_LENGTH_MAX && most >= FWB_DATA_BYTES_MIN &&
                      most <= FWB_DATA_BYTES_MAX;
  if (found == FWB_ERR_STORAGE) {
    fwb_answer_error(camera, frame->request, FWB_CODE_STORAGE, "index");
  } else if (found != FWB_OK || record.counter != counter) {
    fwb_answer_error(camera, frame->request, FWB_CODE_NO_CLIP, "no such clip");
  } else if (!limits || offset >= record.size) {
    fwb_answer_error(camera, frame->request, FWB_CODE_RANGE, "range");
  } else if (camera->read_count == FWB_READS_OUTSTANDING_MAX) {
    fwb_answer_error(camera, frame->request, FWB_CODE_BUSY, "busy");
  } else {
    const uint64_t end = record.size - offset > length ? offset + length : record.size;
    const fwb_read read = {counter, offset, offset, end, most, frame->request};
    camera->reads[(camera->read_first + camera->read_count) % FWB_READS_OUTSTANDING_MAX] = read;
    camera->read_count++;
  }
}

/* SPEC 7: erases the clip after everything about the receipt held, and for no other reason. */
static void on_receipt(fwb_camera *camera, const fwb_frame *frame) {
  const fwb_port *port = camera->port;
  uint8_t bytes[FWB_RECORD_SIZE_MAX];
  fwb_record record;
  fwb_reader reader = fwb_reader_of(frame->payload);
  const uint64_t counter = fwb_read_u53(&reader);
  const fwb_span note = fwb_read_bytes(&reader, reader.length - reader.at);
  if (!fwb_reader_done(&reader)) {
    malformed(camera, frame->request);
    return;
  }
  const int found = find_record(camera, counter, bytes, &record);
  const bool held = found == FWB_OK && record.counter == counter;
  const bool given = counter >= 1 && counter <= port->last_counter(port->context);
  const fwb_receipt_subject subject = {camera->dock_id, port->serial, counter,
                                       held ? &record : NULL};
  if (found == FWB_ERR_STORAGE) {
    fwb_answer_error(camera, frame->request, FWB_CODE_STORAGE, "index");
  } else if (!held && !given) {
    fwb_answer_error(camera, frame->request, FWB_CODE_NO_CLIP, "no such clip");
  } else if (fwb_receipt_check(port, camera->dock.receipt_key, &subject, note) != FWB_OK) {
    fwb_answer_error(camera, frame->request, FWB_CODE_BAD_RECEIPT, "receipt does not hold");
  } else if (held && port->erase_clip(port->context, counter) != FWB_OK) {
    fwb_answer_error(camera, frame->request, FWB_CODE_STORAGE, "erase");
  } else {
    fwb_writer writer = fwb_answer_writer(camera);
    fwb_write_u64(&writer, counter);
    fwb_answer(camera, FWB_RELEASED, frame->request, &writer);
  }
}

static void on_clock(fwb_camera *camera, const fwb_frame *frame) {
  const fwb_port *port = camera->port;
  const uint64_t time = fwb_get_u64(frame->payload.bytes);
  const uint64_t before = (uint64_t)port->clock_get(port->context);
  if (port->clock_set(port->context, (int64_t)time) != FWB_OK) {
    fwb_answer_error(camera, frame->request, FWB_CODE_STORAGE, "clock");
    return;
  }
  fwb_writer writer = fwb_answer_writer(camera);
  fwb_write_u64(&writer, before - time);
  fwb_answer(camera, FWB_CLOCK_OK, frame->request, &writer);
}

static void on_bye(fwb_camera *camera, const fwb_frame *frame) {
  (void)frame;
  fwb_forget_session(camera);
  fwb_rate_to_base(camera);
}

/* SPEC 3 and 4: what a request needs before it is looked at. */
static const struct {
  uint8_t type;
  uint8_t session;
  int length;
  void (*act)(fwb_camera *camera, const fwb_frame *frame);
} REQUESTS[] = {
    {FWB_HELLO, FWB_SESSION_NONE, ANY_LENGTH, fwb_on_hello},
    {FWB_PROVE, FWB_SESSION_GREETED, FWB_SIGNATURE_SIZE, fwb_on_prove},
    {FWB_STATUS, FWB_SESSION_PROVED, 0, on_status},
    {FWB_LIST, FWB_SESSION_PROVED, ANY_LENGTH, on_list},
    {FWB_READ, FWB_SESSION_PROVED, ANY_LENGTH, on_read},
    {FWB_RECEIPT, FWB_SESSION_PROVED, ANY_LENGTH, on_receipt},
    {FWB_CLOCK, FWB_SESSION_PROVED, 8, on_clock},
    {FWB_BYE, FWB_SESSION_NONE, 0, on_bye},
    {FWB_RATE, FWB_SESSION_PROVED, 4, fwb_on_rate},
};

void fwb_dispatch(fwb_camera *camera, const fwb_frame *frame) {
  /* SPEC 2: answering an answer would never end on a line that echoes. */
  if (frame->type >= 0x80u) return;
  fwb_rate_holds(camera);
  for (size_t i = 0; i < sizeof REQUESTS / sizeof REQUESTS[0]; i++) {
    if (REQUESTS[i].type != frame->type) continue;
    if (camera->session < REQUESTS[i].session) {
      fwb_answer_error(camera, frame->request, FWB_CODE_AUTH_REQUIRED, "authenticate first");
    } else if (REQUESTS[i].length >= 0 && frame->payload.length != (size_t)REQUESTS[i].length) {
      malformed(camera, frame->request);
    } else {
      REQUESTS[i].act(camera, frame);
    }
    return;
  }
  fwb_answer_error(camera, frame->request, FWB_CODE_MALFORMED, "unknown type");
}
