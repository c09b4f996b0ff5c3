#include "internal.h"

enum { DATA_OFFSET_SIZE = 4, DATA_PREFIX_SIZE = FWB_FRAME_HEADER_SIZE + DATA_OFFSET_SIZE };

_Static_assert(FWB_DATA_BYTES_MAX + DATA_OFFSET_SIZE <= FWB_FRAME_PAYLOAD_MAX, "a DATA frame fits");
_Static_assert(FWB_RECEIVE_PAYLOAD_MAX <= FWB_FRAME_PAYLOAD_MAX, "a RECEIPT fits");

static bool port_is_whole(const fwb_port *port) {
  return port->find_clip != NULL && port->read_clip != NULL && port->erase_clip != NULL &&
         port->last_counter != NULL && port->sha256 != NULL && port->verify != NULL &&
         port->random != NULL && port->monotonic_ms != NULL && port->clock_get != NULL &&
         port->clock_set != NULL && port->status != NULL && port->find_dock != NULL &&
         (port->rates != NULL || port->rate_count == 0);
}

int fwb_camera_init(fwb_camera *camera, const fwb_port *port) {
  if (port->serial == NULL || port->firmware == NULL || !port_is_whole(port))
    return FWB_ERR_ARGUMENT;
  if (!fwb_is_serial(fwb_span_of(port->serial))) return FWB_ERR_ARGUMENT;
  memset(camera, 0, sizeof *camera);
  camera->port = port;
  camera->rate = fwb_base_rate(port);
  fwb_decoder_init(&camera->decoder, camera->receive, sizeof camera->receive);
  return FWB_OK;
}

fwb_writer fwb_answer_writer(fwb_camera *camera) {
  const fwb_writer writer = {camera->answer + FWB_FRAME_HEADER_SIZE, FWB_RECORD_SIZE_MAX, 0, false};
  return writer;
}

void fwb_answer(fwb_camera *camera, uint8_t type, uint32_t request, const fwb_writer *payload) {
  const fwb_frame frame = {type, request, {payload->bytes, payload->length}};
  camera->answer_length = fwb_frame_encode(&frame, camera->answer, sizeof camera->answer);
  camera->answer_sent = 0;
}

void fwb_answer_error(fwb_camera *camera, uint32_t request, fwb_code code, const char *detail) {
  fwb_writer writer = fwb_answer_writer(camera);
  fwb_write_u16(&writer, (uint16_t)code);
  fwb_write_string8(&writer, fwb_span_of(detail));
  fwb_answer(camera, FWB_ERROR, request, &writer);
}

/* A DATA frame that has begun is still finished, or the line would lose its place. */
void fwb_forget_session(fwb_camera *camera) {
  camera->session = FWB_SESSION_NONE;
  camera->listing = false;
  camera->read_first = 0;
  camera->read_count = 0;
  camera->failed_request = 0;
  memset(&camera->dock, 0, sizeof camera->dock);
}

static bool answering(const fwb_camera *camera) {
  return camera->answer_length > 0 || camera->listing || camera->rate_next != 0;
}

/* One answer at a time: what follows waits in the decoder, and then on the line. */
static void act_on_input(fwb_camera *camera) {
  fwb_frame frame;
  while (!answering(camera) && fwb_decoder_next(&camera->decoder, &frame))
    fwb_dispatch(camera, &frame);
}

/* SPEC 2: after FRAME_GAP_MS of silence the frame that is waited for is given up, and what it hid
 * is found. */
static void act_on_gap(fwb_camera *camera, uint64_t now) {
  act_on_input(camera);
  if (camera->held_back || now - camera->last_input_ms < FWB_FRAME_GAP_MS) return;
  while (!answering(camera) && fwb_decoder_gap(&camera->decoder)) act_on_input(camera);
}

void fwb_camera_tick(fwb_camera *camera) {
  const uint64_t now = camera->port->monotonic_ms(camera->port->context);
  act_on_gap(camera, now);
  /* Requests that wait behind an answer are not a line at another rate. */
  if (!answering(camera) && !camera->held_back) fwb_rate_tick(camera, now);
}

size_t fwb_camera_input(fwb_camera *camera, const uint8_t *bytes, size_t length) {
  const uint64_t now = camera->port->monotonic_ms(camera->port->context);
  size_t taken = 0;
  act_on_gap(camera, now);
  while (taken < length) {
    const size_t pushed = fwb_decoder_push(&camera->decoder, bytes + taken, length - taken);
    if (pushed == 0) break;
    taken += pushed;
    fwb_rate_bytes(camera, pushed, now);
    act_on_input(camera);
  }
  /* Bytes that wait for us are not a silence of the dock. */
  camera->held_back = taken < length;
  if (taken > 0) camera->last_input_ms = now;
  return taken;
}

static size_t send_answer(fwb_camera *camera, uint8_t *bytes, size_t capacity) {
  const size_t left = camera->answer_length - camera->answer_sent;
  const size_t count = left < capacity ? left : capacity;
  memcpy(bytes, camera->answer + camera->answer_sent, count);
  camera->answer_sent += count;
  if (camera->answer_sent == camera->answer_length) {
    camera->answer_length = 0;
    camera->answer_sent = 0;
    act_on_input(camera);
  }
  return count;
}

static void begin_data(fwb_camera *camera) {
  fwb_read *read = &camera->reads[camera->read_first];
  const uint64_t left = read->end - read->offset;
  const uint32_t count = left < read->most ? (uint32_t)left : read->most;
  fwb_writer offset = {camera->data_prefix + FWB_FRAME_HEADER_SIZE, DATA_OFFSET_SIZE, 0, false};
  fwb_header_encode(camera->data_prefix, FWB_DATA, read->request, count + DATA_OFFSET_SIZE);
  fwb_write_u32(&offset, (uint32_t)(read->offset - read->first));
  camera->data_crc = fwb_crc32(0, offset.bytes, DATA_OFFSET_SIZE);
  camera->data_active = true;
  camera->data_failed = false;
  camera->data_counter = read->counter;
  camera->data_offset = read->offset;
  camera->data_length = count;
  camera->data_sent = 0;
  read->offset += count;
  if (read->offset == read->end) {
    camera->read_first = (camera->read_first + 1u) % FWB_READS_OUTSTANDING_MAX;
    camera->read_count--;
  }
}

/* Storage that fails inside a frame: the frame is filled up and ends in a wrong CRC, then comes the
 * ERROR. */
static size_t send_clip_bytes(fwb_camera *camera, uint8_t *bytes, size_t capacity) {
  const fwb_port *port = camera->port;
  const size_t done = camera->data_sent - DATA_PREFIX_SIZE;
  const size_t left = camera->data_length - done;
  const size_t count = left < capacity ? left : capacity;
  const uint64_t offset = camera->data_offset + done;
  if (!camera->data_failed)
    camera->data_failed =
        port->read_clip(port->context, camera->data_counter, offset, bytes, count) != FWB_OK;
  if (camera->data_failed) memset(bytes, 0, count);
  camera->data_crc = fwb_crc32(camera->data_crc, bytes, count);
  return count;
}

static void end_data(fwb_camera *camera) {
  const uint32_t request = fwb_get_u32(camera->data_prefix + 4);
  camera->data_active = false;
  if (!camera->data_failed) return;
  while (camera->read_count > 0 && camera->reads[camera->read_first].request == request) {
    camera->read_first = (camera->read_first + 1u) % FWB_READS_OUTSTANDING_MAX;
    camera->read_count--;
  }
  camera->failed_request = request;
}

static size_t send_data(fwb_camera *camera, uint8_t *bytes, size_t capacity) {
  const size_t crc_at = DATA_PREFIX_SIZE + camera->data_length;
  size_t count = 0;
  while (camera->data_active && count < capacity) {
    if (camera->data_sent < DATA_PREFIX_SIZE) {
      bytes[count++] = camera->data_prefix[camera->data_sent++];
    } else if (camera->data_sent < crc_at) {
      const size_t sent = send_clip_bytes(camera, bytes + count, capacity - count);
      count += sent;
      camera->data_sent += sent;
    } else {
      const uint32_t crc = camera->data_failed ? ~camera->data_crc : camera->data_crc;
      bytes[count++] = (uint8_t)(crc >> (8u * (camera->data_sent - crc_at)));
      camera->data_sent++;
      if (camera->data_sent == crc_at + FWB_FRAME_CRC_SIZE) end_data(camera);
    }
  }
  return count;
}

size_t fwb_camera_output(fwb_camera *camera, uint8_t *bytes, size_t capacity) {
  if (camera->data_active) return send_data(camera, bytes, capacity);
  /* What was written before this call is on the line: fwb_camera_output is called again after it.
   */
  if (camera->answer_length == 0 && camera->rate_next != 0) {
    fwb_rate_switch(camera);
    act_on_input(camera);
  }
  if (camera->answer_length == 0 && camera->failed_request != 0) {
    fwb_answer_error(camera, camera->failed_request, FWB_CODE_STORAGE, "read");
    camera->failed_request = 0;
  }
  if (camera->answer_length == 0 && camera->listing) fwb_list_step(camera);
  if (camera->answer_length > 0) return send_answer(camera, bytes, capacity);
  if (camera->read_count == 0) return 0;
  begin_data(camera);
  return send_data(camera, bytes, capacity);
}

bool fwb_camera_has_output(const fwb_camera *camera) {
  return camera->data_active || answering(camera) || camera->failed_request != 0 ||
         camera->read_count > 0;
}

void fwb_camera_line_lost(fwb_camera *camera) {
  fwb_forget_session(camera);
  fwb_rate_to_base(camera);
  camera->answer_length = 0;
  camera->answer_sent = 0;
  camera->data_active = false;
  camera->decoder.start = 0;
  camera->decoder.end = 0;
  camera->held_back = false;
}

const char *fwb_camera_docked(const fwb_camera *camera) {
  return camera->session == FWB_SESSION_PROVED ? camera->dock_id : NULL;
}

uint64_t fwb_camera_discarded(const fwb_camera *camera) { return camera->decoder.discarded; }
