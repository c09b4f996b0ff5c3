#include "internal.h"

static bool is_lower_or_digit(uint8_t c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_dock_part(const uint8_t *bytes, size_t length) {
  if (length < 1 || length > 64) return false;
  for (size_t i = 0; i < length; i++) {
    if (!is_lower_or_digit(bytes[i]) && bytes[i] != '-') return false;
  }
  return true;
}

bool fwb_is_dock_id(fwb_span text) {
  if (text.length > FWB_DOCK_ID_SIZE_MAX) return false;
  size_t slash = 0;
  while (slash < text.length && text.bytes[slash] != '/') slash++;
  if (slash == text.length) return false;
  return is_dock_part(text.bytes, slash) &&
         is_dock_part(text.bytes + slash + 1, text.length - slash - 1);
}

bool fwb_is_serial(fwb_span text) {
  if (text.length < 1 || text.length > FWB_SERIAL_SIZE_MAX) return false;
  for (size_t i = 0; i < text.length; i++) {
    const uint8_t c = text.bytes[i];
    const bool upper = c >= 'A' && c <= 'Z';
    if (!is_lower_or_digit(c) && !upper && c != '.' && c != '_' && c != '-') return false;
  }
  return true;
}
