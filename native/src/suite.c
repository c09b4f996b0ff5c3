#include "suite.h"

#include "digest.h"

int suite_init(struct suite *suite) {
  suite->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
  suite->chacha20_poly1305 = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
  suite->hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
  if (suite->sha256 != NULL && suite->chacha20_poly1305 != NULL && suite->hkdf != NULL) {
    suite->has_lanes = digest_lanes_work(suite);
    return 0;
  }
  suite_free(suite);
  return DOCKET_ERR_CRYPTO;
}

void suite_free(struct suite *suite) {
  EVP_MD_free(suite->sha256);
  EVP_CIPHER_free(suite->chacha20_poly1305);
  EVP_KDF_free(suite->hkdf);
  suite->sha256 = NULL;
  suite->chacha20_poly1305 = NULL;
  suite->hkdf = NULL;
}
