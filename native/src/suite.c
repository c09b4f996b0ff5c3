#include "suite.h"

int suite_init(struct suite *suite) {
  suite->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
  suite->chacha20_poly1305 = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
  if (suite->sha256 != NULL && suite->chacha20_poly1305 != NULL)
    return 0;
  suite_free(suite);
  return DOCKET_ERR_CRYPTO;
}

void suite_free(struct suite *suite) {
  EVP_MD_free(suite->sha256);
  EVP_CIPHER_free(suite->chacha20_poly1305);
  suite->sha256 = NULL;
  suite->chacha20_poly1305 = NULL;
}

EVP_MD_CTX *suite_digest_new(const struct suite *suite) {
  EVP_MD_CTX *digest = EVP_MD_CTX_new();
  if (digest == NULL)
    return NULL;
  if (EVP_DigestInit_ex2(digest, suite->sha256, NULL) == 1)
    return digest;
  EVP_MD_CTX_free(digest);
  return NULL;
}

int digest_update(EVP_MD_CTX *digest, const uint8_t *bytes, size_t size) {
  return EVP_DigestUpdate(digest, bytes, size) == 1 ? 0 : DOCKET_ERR_CRYPTO;
}

int digest_final(EVP_MD_CTX *digest, uint8_t sha256[DOCKET_SHA256_BYTES]) {
  unsigned int size = 0;
  if (EVP_DigestFinal_ex(digest, sha256, &size) != 1 || size != DOCKET_SHA256_BYTES)
    return DOCKET_ERR_CRYPTO;
  return 0;
}
