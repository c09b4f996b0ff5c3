#include "blocks.h"

/* EVP computes the same with the same assembly, but never gives its state away. These functions do;
 * OpenSSL 3 marks them as deprecated and keeps them. */
#undef OPENSSL_NO_DEPRECATED
#undef OPENSSL_API_COMPAT
#define OPENSSL_API_COMPAT 10100
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

void blocks_compress(uint32_t state[8], const uint8_t *bytes, size_t blocks) {
  SHA256_CTX context;
  (void)SHA256_Init(&context);
  memcpy(context.h, state, sizeof context.h);
  (void)SHA256_Update(&context, bytes, blocks * SHA256_CBLOCK);
  memcpy(state, context.h, sizeof context.h);
  OPENSSL_cleanse(&context, sizeof context);
}
