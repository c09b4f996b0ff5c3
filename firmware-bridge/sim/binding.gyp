{
  'targets': [
    {
      'target_name': 'fwb_sim',
      'sources': [
        'addon/addon.c',
        'addon/bridge.c',
        'addon/line.c',
        'addon/port.c',
        'addon/rate.c',
        'addon/run.c',
        'addon/values.c',
        '../src/camera.c',
        '../src/crc.c',
        '../src/dispatch.c',
        '../src/frame.c',
        '../src/rate.c',
        '../src/receipt.c',
        '../src/record.c',
        '../src/session.c',
        '../src/text.c',
      ],
      'include_dirs': ['../include'],
      'defines': ['_GNU_SOURCE', 'NAPI_VERSION=8'],
      'cflags_c': ['-std=c11', '-Wall', '-Wextra', '-Werror', '-Wno-unused-parameter', '-O2'],
    },
  ],
}
