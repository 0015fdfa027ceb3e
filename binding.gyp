{
  'target_defaults': {
    'include_dirs': ["<!(node -p \"require('node-addon-api').include_dir\")"],
    'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_CPP_EXCEPTIONS'],
    'cflags_cc!': ['-fno-exceptions', '-fno-rtti', '-std=gnu++17', '-std=gnu++20'],
    'cflags_cc': ['-std=c++20', '-fexceptions', '-Wall', '-Wextra', '-Werror', '-fvisibility=hidden'],
  },
  'targets': [
    {
      'target_name': 'epoll',
      'sources': ['<!@(ls native/epoll/*.cc)'],
    },
    {
      'target_name': 'sandbox',
      'sources': ['<!@(ls native/sandbox/*.cc native/sandbox/inside/*.cc)'],
      'include_dirs': ['native/sandbox', 'native/sandbox/inside'],
    },
    {
      # The first process of every sandbox, linked without a libc: see native/sandbox/init.
      'target_name': 'scriptd-init',
      'type': 'executable',
      'sources': ['<!@(ls native/sandbox/init/*.cc native/sandbox/inside/*.cc)', 'native/sandbox/fresh.cc'],
      'include_dirs': ['native/sandbox', 'native/sandbox/inside'],
      'cflags_cc!': ['-fexceptions', '-fPIC', '-pthread'],
      # Not cflags_cc, whose exclusions above would take -fno-exceptions out.
      'cflags': [
        '-O2', '-fno-exceptions', '-fno-pie', '-fno-stack-protector',
        '-fno-asynchronous-unwind-tables', '-fno-tree-loop-distribute-patterns',
        '-ffunction-sections', '-U_FORTIFY_SOURCE',
      ],
      'ldflags!': ['-pthread', '-rdynamic'],
      'ldflags': [
        '-static', '-nostdlib', '-no-pie', '-Wl,--gc-sections,-z,noseparate-code,--build-id=none',
      ],
      'libraries!': ['-lm'],
    },
    {
      # What a fork server loads into its interpreter (native/sandbox/server), so it needs nothing but
      # libc.
      'target_name': 'scriptd_sandbox',
      'type': 'shared_library',
      'product_prefix': 'lib',
      'product_dir': '<(PRODUCT_DIR)',
      'sources': [
        '<!@(ls native/sandbox/server/*.cc native/sandbox/inside/*.cc)',
        'native/sandbox/fresh.cc',
      ],
      'include_dirs': ['native/sandbox', 'native/sandbox/inside'],
      'cflags_cc!': ['-fexceptions'],
      'cflags': ['-fno-exceptions', '-fvisibility=hidden'],
      'ldflags': ['-Wl,--as-needed,-z,defs,-z,now'],
    },
  ],
}
