#include "header.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string.h>

enum {
  FILE_KEY_BYTES = 16,
  KEY_BYTES = 32,
  TAG_BYTES = 16,
  BODY_BYTES = FILE_KEY_BYTES + TAG_BYTES,
  /* Of 32 bytes, without padding; EVP_EncodeBlock adds one `=` and a zero. */
  BASE64_BYTES = 43,
  BASE64_ROOM = 45,
};

static_assert((int)DOCKET_PAYLOAD_KEY_BYTES == (int)KEY_BYTES, "one size of keys");
static_assert(BODY_BYTES == 32, "as long as a point and a MAC: all take 43 digits");

static void put(struct header *header, const char *text) {
  const size_t size = strlen(text);
  memcpy(header->bytes + header->size, text, size);
  header->size += size;
}

static void put_base64(struct header *header, const uint8_t bytes[32]) {
  char text[BASE64_ROOM];
  (void)EVP_EncodeBlock((unsigned char *)text, bytes, 32);
  text[BASE64_BYTES] = '\0';
  put(header, text);
}

struct expand {
  const uint8_t *key;
  size_t key_size;
  const uint8_t *salt;
  size_t salt_size;
  const char *info;
};

/* OpenSSL takes parameters by pointers to what it does not change. */
static OSSL_PARAM octets(const char *name, const void *bytes, size_t size) {
  return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)bytes, size);
}

/* HKDF-SHA-256, RFC 5869. */
static bool hkdf(const struct suite *suite, const struct expand *from, uint8_t key[KEY_BYTES]) {
  static char sha256[] = "SHA256";
  OSSL_PARAM params[5];
  size_t count = 0;
  EVP_KDF_CTX *context = EVP_KDF_CTX_new(suite->hkdf);
  params[count++] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, sha256, 0);
  params[count++] = octets(OSSL_KDF_PARAM_KEY, from->key, from->key_size);
  params[count++] = octets(OSSL_KDF_PARAM_INFO, from->info, strlen(from->info));
  if (from->salt_size > 0)
    params[count++] = octets(OSSL_KDF_PARAM_SALT, from->salt, from->salt_size);
  params[count] = OSSL_PARAM_construct_end();
  const bool done = context != NULL && EVP_KDF_derive(context, key, KEY_BYTES, params) == 1;
  EVP_KDF_CTX_free(context);
  return done;
}

/* RFC 7748. OpenSSL refuses a result that is all zero, as age demands. */
static bool agree(EVP_PKEY *own, const uint8_t point[HEADER_POINT_BYTES], uint8_t shared[32]) {
  size_t size = 32;
  EVP_PKEY *peer = EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, point, HEADER_POINT_BYTES);
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
  const bool done = peer != NULL && context != NULL && EVP_PKEY_derive_init(context) == 1 &&
                    EVP_PKEY_derive_set_peer(context, peer) == 1 &&
                    EVP_PKEY_derive(context, shared, &size) == 1 && size == 32;
  EVP_PKEY_CTX_free(context);
  EVP_PKEY_free(peer);
  return done;
}

static bool wrap(const struct suite *suite, const uint8_t key[KEY_BYTES],
                 const uint8_t file_key[FILE_KEY_BYTES], uint8_t body[BODY_BYTES]) {
  /* age: a wrap key wraps one file key, so a fixed nonce is never used twice. */
  static const uint8_t nonce[12];
  int size = 0;
  EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
  const bool done =
      cipher != NULL &&
      EVP_EncryptInit_ex2(cipher, suite->chacha20_poly1305, key, nonce, NULL) == 1 &&
      EVP_EncryptUpdate(cipher, body, &size, file_key, FILE_KEY_BYTES) == 1 &&
      EVP_EncryptFinal_ex(cipher, body + FILE_KEY_BYTES, &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, body + FILE_KEY_BYTES) == 1;
  EVP_CIPHER_CTX_free(cipher);
  return done;
}

static bool put_stanza(struct header *header, const struct suite *suite,
                       const uint8_t point[HEADER_POINT_BYTES],
                       const uint8_t file_key[FILE_KEY_BYTES]) {
  uint8_t salt[2 * HEADER_POINT_BYTES];
  uint8_t shared[32], key[KEY_BYTES], body[BODY_BYTES];
  size_t size = HEADER_POINT_BYTES;
  const struct expand from = {shared, sizeof shared, salt, sizeof salt,
                              "age-encryption.org/v1/X25519"};
  EVP_PKEY *own = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
  memcpy(salt + HEADER_POINT_BYTES, point, HEADER_POINT_BYTES);
  const bool done = own != NULL && EVP_PKEY_get_raw_public_key(own, salt, &size) == 1 &&
                    agree(own, point, shared) && hkdf(suite, &from, key) &&
                    wrap(suite, key, file_key, body);
  EVP_PKEY_free(own);
  OPENSSL_cleanse(shared, sizeof shared);
  OPENSSL_cleanse(key, sizeof key);
  if (!done)
    return false;
  put(header, "-> X25519 ");
  put_base64(header, salt);
  put(header, "\n");
  put_base64(header, body);
  put(header, "\n");
  return true;
}

static bool put_mac(struct header *header, const struct suite *suite,
                    const uint8_t file_key[FILE_KEY_BYTES]) {
  uint8_t key[KEY_BYTES], mac[32];
  size_t size = 0;
  const struct expand from = {file_key, FILE_KEY_BYTES, NULL, 0, "header"};
  put(header, "---");
  const bool done = hkdf(suite, &from, key) &&
                    EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, sizeof key, header->bytes,
                              header->size, mac, sizeof mac, &size) != NULL;
  OPENSSL_cleanse(key, sizeof key);
  put(header, " ");
  put_base64(header, mac);
  put(header, "\n");
  return done && size == sizeof mac;
}

static bool put_nonce(struct header *header, const struct suite *suite,
                      const uint8_t file_key[FILE_KEY_BYTES]) {
  uint8_t *nonce = header->bytes + header->size;
  const struct expand from = {file_key, FILE_KEY_BYTES, nonce, HEADER_NONCE_BYTES, "payload"};
  header->size += HEADER_NONCE_BYTES;
  return RAND_bytes(nonce, HEADER_NONCE_BYTES) == 1 && hkdf(suite, &from, header->payload_key);
}

int header_make(struct header *header, const struct suite *suite, const uint8_t *points,
                size_t count) {
  uint8_t file_key[FILE_KEY_BYTES];
  header->size = 0;
  bool done = count >= 1 && count <= HEADER_RECIPIENTS_MAX &&
              RAND_priv_bytes(file_key, sizeof file_key) == 1;
  put(header, "age-encryption.org/v1\n");
  for (size_t i = 0; i < count && done; i++)
    done = put_stanza(header, suite, points + i * HEADER_POINT_BYTES, file_key);
  done = done && put_mac(header, suite, file_key) && put_nonce(header, suite, file_key);
  OPENSSL_cleanse(file_key, sizeof file_key);
  if (done)
    return 0;
  /* This is Node's own thread: what is left in its queue would be taken for an error of the next
   * call. */
  ERR_clear_error();
  return DOCKET_ERR_CRYPTO;
}
