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
      'sources': ['<!@(ls native/sandbox/*.cc)'],
    },
  ],
}
