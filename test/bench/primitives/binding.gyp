{
  "targets": [
    {
      "target_name": "primitives",
      "sources": ["primitives.c"],
      "defines": ["NAPI_VERSION=8", "OPENSSL_API_COMPAT=30000", "OPENSSL_NO_DEPRECATED"],
      "cflags": ["-Wall", "-Wextra", "-Werror", "-Wconversion"],
      "cflags_c": ["-std=c11"]
    }
  ]
}
