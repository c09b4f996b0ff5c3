/* What the library's own files share. */
#ifndef FWB_INTERNAL_H
#define FWB_INTERNAL_H

#include "bytes.h"

/* SPEC 4 */
enum fwb_session { FWB_SESSION_NONE = 0, FWB_SESSION_GREETED = 1, FWB_SESSION_PROVED = 2 };

void fwb_header_encode(uint8_t *bytes, uint8_t type, uint32_t request, uint32_t length);

/* SPEC 1: grammars. */
bool fwb_is_dock_id(fwb_span text);
bool fwb_is_serial(fwb_span text);

/* Puts a payload that was written to fwb_answer_writer on its way. */
fwb_writer fwb_answer_writer(fwb_camera *camera);
void fwb_answer(fwb_camera *camera, uint8_t type, uint32_t request, const fwb_writer *payload);
void fwb_answer_error(fwb_camera *camera, uint32_t request, fwb_code code, const char *detail);

/* Acts on one frame from the dock; called only while no answer waits. */
void fwb_dispatch(fwb_camera *camera, const fwb_frame *frame);
void fwb_forget_session(fwb_camera *camera);

void fwb_on_hello(fwb_camera *camera, const fwb_frame *frame);
void fwb_on_prove(fwb_camera *camera, const fwb_frame *frame);

/* SPEC 9. `bytes`: some came; `holds`: a request was among them; `switch`: RATE_OK has been sent.
 */
uint32_t fwb_base_rate(const fwb_port *port);
void fwb_on_rate(fwb_camera *camera, const fwb_frame *frame);
void fwb_rate_bytes(fwb_camera *camera, size_t count, uint64_t now);
void fwb_rate_holds(fwb_camera *camera);
void fwb_rate_tick(fwb_camera *camera, uint64_t now);
void fwb_rate_switch(fwb_camera *camera);
void fwb_rate_to_base(fwb_camera *camera);

/* Makes the next RECORD or RECORDS_END of a LIST. */
void fwb_list_step(fwb_camera *camera);

#endif
