#ifndef DOCKET_CRC32_H
#define DOCKET_CRC32_H

/* CRC-32 of ISO-HDLC (SPEC 1 of the camera link). */
#include <stddef.h>
#include <stdint.h>

/* Before the first use; may be called again, by any thread. */
void crc32_init(void);
/* Goes on from the CRC of what came before; 0 at first. */
uint32_t crc32_add(uint32_t crc, const uint8_t *bytes, size_t size);
/* The same without the processor's own instructions. */
uint32_t crc32_add_plain(uint32_t crc, const uint8_t *bytes, size_t size);

#endif
