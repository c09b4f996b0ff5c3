#include "crc-table.h"
#include "fwb.h"

/* SPEC 1: CRC-32 ISO-HDLC. Four bytes a step, because at tens of MB/s the checksum is most of the
 * camera's work. */
uint32_t fwb_crc32(uint32_t crc, const uint8_t *bytes, size_t length) {
  uint32_t rest = ~crc;
  size_t at = 0;
  for (; length - at >= 4u; at += 4u) {
    rest ^= (uint32_t)bytes[at] | (uint32_t)bytes[at + 1u] << 8 | (uint32_t)bytes[at + 2u] << 16 |
            (uint32_t)bytes[at + 3u] << 24;
    rest = FWB_CRC_TABLE[3][rest & 0xffu] ^ FWB_CRC_TABLE[2][(rest >> 8) & 0xffu] ^
           FWB_CRC_TABLE[1][(rest >> 16) & 0xffu] ^ FWB_CRC_TABLE[0][rest >> 24];
  }
  for (; at < length; at++) {
    rest = (rest >> 8) ^ FWB_CRC_TABLE[0][(rest ^ bytes[at]) & 0xffu];
  }
  return ~rest;
}
