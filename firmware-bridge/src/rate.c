/*
 * SPEC 9: the rate of the line.
 *
 * INVARIANTS: `rate_next` is set from RATE until its RATE_OK has been sent, and then the rate is
 * changed; nothing else is answered in between. At the base rate `rate_unsure` is false and
 * `rate_lost_bytes` is 0: there is nowhere to go back to.
 */
#include "internal.h"

uint32_t fwb_base_rate(const fwb_port *port) {
  return port->base_rate != 0u ? port->base_rate : FWB_RATE_BASE;
}

static void change(fwb_camera *camera, uint32_t rate) {
  const fwb_port *port = camera->port;
  if (port->set_rate(port->context, rate) == FWB_OK) camera->rate = rate;
  camera->rate_unsure = camera->rate != fwb_base_rate(port);
  camera->rate_unsure_since_ms = port->monotonic_ms(port->context);
  camera->rate_lost_bytes = 0;
}

static uint32_t choose(const fwb_camera *camera, uint32_t wanted) {
  const fwb_port *port = camera->port;
  const uint32_t base = fwb_base_rate(port);
  uint32_t best = base <= wanted ? base : 0u;
  for (size_t i = 0; i < port->rate_count; i++) {
    const uint32_t rate = port->rates[i];
    if (rate > base && rate <= wanted && rate > best) best = rate;
  }
  return best != 0u ? best : camera->rate;
}

void fwb_on_rate(fwb_camera *camera, const fwb_frame *frame) {
  if (camera->port->set_rate == NULL) {
    fwb_answer_error(camera, frame->request, FWB_CODE_MALFORMED, "one rate only");
    return;
  }
  const uint32_t chosen = choose(camera, fwb_get_u32(frame->payload.bytes));
  fwb_writer writer = fwb_answer_writer(camera);
  fwb_write_u32(&writer, chosen);
  fwb_answer(camera, FWB_RATE_OK, frame->request, &writer);
  camera->rate_next = chosen != camera->rate ? chosen : 0u;
}

void fwb_rate_switch(fwb_camera *camera) {
  const uint32_t rate = camera->rate_next;
  camera->rate_next = 0;
  change(camera, rate);
}

void fwb_rate_to_base(fwb_camera *camera) {
  const uint32_t base = fwb_base_rate(camera->port);
  camera->rate_next = 0;
  if (camera->rate != base) change(camera, base);
}

void fwb_rate_bytes(fwb_camera *camera, size_t count, uint64_t now) {
  if (camera->rate == fwb_base_rate(camera->port)) return;
  if (camera->rate_lost_bytes == 0) camera->rate_lost_since_ms = now;
  camera->rate_lost_bytes += count;
}

void fwb_rate_holds(fwb_camera *camera) {
  camera->rate_unsure = false;
  camera->rate_lost_bytes = 0;
}

void fwb_rate_tick(fwb_camera *camera, uint64_t now) {
  const bool unanswered =
      camera->rate_unsure && now - camera->rate_unsure_since_ms >= FWB_RATE_CONFIRM_MS;
  const bool lost = camera->rate_lost_bytes >= FWB_RATE_LOST_BYTES &&
                    now - camera->rate_lost_since_ms >= FWB_RATE_LOST_MS;
  if (unanswered || lost) fwb_rate_to_base(camera);
}
