{
  "targets": [
    {
      "target_name": "docket_native",
      "sources": [
        "src/addon.c",
        "src/addon-args.c",
        "src/addon-handle.c",
        "src/addon-header.c",
        "src/addon-job.c",
        "src/addon-settle.c",
        "src/addon-midstate.c",
        "src/addon-reader.c",
        "src/arrivals.c",
        "src/blocks.c",
        "src/crc32.c",
        "src/digest.c",
        "src/fdio.c",
        "src/frames.c",
        "src/hash.c",
        "src/header.c",
        "src/inbox.c",
        "src/lanes.c",
        "src/open.c",
        "src/pipeline.c",
        "src/pool.c",
        "src/reader.c",
        "src/refill.c",
        "src/seal.c",
        "src/sink.c",
        "src/stream.c",
        "src/suite.c",
        "src/work.c"
      ],
      "defines": ["NAPI_VERSION=8", "OPENSSL_API_COMPAT=30000", "OPENSSL_NO_DEPRECATED"],
      "cflags": [
        "-Wall",
        "-Wextra",
        "-Werror",
        "-Wconversion",
        "-fvisibility=hidden",
        "-fstack-protector-strong"
      ],
      "cflags_c": ["-std=c11"],
      "libraries": ["-pthread"],
      "ldflags": ["-Wl,-z,relro,-z,now"]
    }
  ]
}
