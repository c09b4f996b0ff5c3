#include "internal.h"

static const char CAMERA_LABEL[] = "docket-link/1 camera";
static const char DOCK_LABEL[] = "docket-link/1 dock";

enum {
  TRANSCRIPT_MAX = sizeof CAMERA_LABEL + 1 + 1 + FWB_DOCK_ID_SIZE_MAX + 1 + FWB_SERIAL_SIZE_MAX +
                   2 * FWB_NONCE_SIZE + 8
};

_Static_assert(sizeof CAMERA_LABEL >= sizeof DOCK_LABEL, "TRANSCRIPT_MAX is for the longer label");

/* SPEC 4: transcript(label). The label's terminating 00 is part of it. */
static size_t transcript(const fwb_camera *camera, fwb_span label, uint8_t bytes[TRANSCRIPT_MAX]) {
  fwb_writer writer = {bytes, TRANSCRIPT_MAX, 0, false};
  fwb_write_bytes(&writer, label.bytes, label.length);
  fwb_write_u8(&writer, FWB_PROTOCOL);
  fwb_write_string8(&writer, fwb_span_of(camera->dock_id));
  fwb_write_string8(&writer, fwb_span_of(camera->port->serial));
  fwb_write_bytes(&writer, camera->dock_nonce, FWB_NONCE_SIZE);
  fwb_write_bytes(&writer, camera->camera_nonce, FWB_NONCE_SIZE);
  fwb_write_u64(&writer, camera->last_counter);
  return writer.failed ? 0 : writer.length;
}

static bool greet(fwb_camera *camera, uint8_t signature[FWB_SIGNATURE_SIZE]) {
  const fwb_port *port = camera->port;
  uint8_t message[TRANSCRIPT_MAX];
  const fwb_span label = {(const uint8_t *)CAMERA_LABEL, sizeof CAMERA_LABEL};
  camera->last_counter = port->last_counter(port->context);
  if (port->random(port->context, camera->camera_nonce, FWB_NONCE_SIZE) != FWB_OK) return false;
  memset(signature, 0, FWB_SIGNATURE_SIZE);
  if (port->sign == NULL) return true;
  const size_t length = transcript(camera, label, message);
  return length > 0 && port->sign(port->context, message, length, signature) == FWB_OK;
}

void fwb_on_hello(fwb_camera *camera, const fwb_frame *frame) {
  fwb_reader reader = fwb_reader_of(frame->payload);
  const uint8_t lowest = fwb_read_u8(&reader);
  const uint8_t highest = fwb_read_u8(&reader);
  const fwb_span dock_id = fwb_read_string8(&reader);
  fwb_forget_session(camera);
  fwb_read_into(&reader, camera->dock_nonce, FWB_NONCE_SIZE);
  if (!fwb_reader_done(&reader) || lowest > highest || !fwb_is_dock_id(dock_id)) {
    fwb_answer_error(camera, frame->request, FWB_CODE_MALFORMED, "malformed");
    return;
  }
  if (lowest > FWB_PROTOCOL || highest < FWB_PROTOCOL) {
    fwb_answer_error(camera, frame->request, FWB_CODE_VERSION, "protocol 1 only");
    return;
  }
  memcpy(camera->dock_id, dock_id.bytes, dock_id.length);
  camera->dock_id[dock_id.length] = '\0';

  uint8_t signature[FWB_SIGNATURE_SIZE];
  if (!greet(camera, signature)) {
    fwb_answer_error(camera, frame->request, FWB_CODE_STORAGE, "no nonce or no signature");
    return;
  }
  fwb_writer writer = fwb_answer_writer(camera);
  fwb_write_u8(&writer, FWB_PROTOCOL);
  fwb_write_u8(&writer, camera->port->sign != NULL ? 1 : 0);
  fwb_write_string8(&writer, fwb_span_of(camera->port->serial));
  fwb_write_bytes(&writer, camera->camera_nonce, FWB_NONCE_SIZE);
  fwb_write_u64(&writer, camera->last_counter);
  fwb_write_bytes(&writer, signature, FWB_SIGNATURE_SIZE);
  camera->session = FWB_SESSION_GREETED;
  fwb_answer(camera, FWB_HELLO_OK, frame->request, &writer);
}

void fwb_on_prove(fwb_camera *camera, const fwb_frame *frame) {
  const fwb_port *port = camera->port;
  uint8_t message[TRANSCRIPT_MAX];
  const fwb_span label = {(const uint8_t *)DOCK_LABEL, sizeof DOCK_LABEL};
  const fwb_span given = {message, transcript(camera, label, message)};
  const bool known = port->find_dock(port->context, camera->dock_id, &camera->dock) == FWB_OK;
  if (!known || given.length == 0 ||
      port->verify(port->context, camera->dock.link_key, given, frame->payload.bytes) != FWB_OK) {
    fwb_forget_session(camera);
    fwb_answer_error(camera, frame->request, FWB_CODE_NOT_AUTHENTIC, "not authentic");
    return;
  }
  camera->session = FWB_SESSION_PROVED;
  fwb_writer writer = fwb_answer_writer(camera);
  fwb_answer(camera, FWB_PROVED, frame->request, &writer);
}
