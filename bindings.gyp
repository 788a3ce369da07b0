# node-gyp and npm read only a file named binding.gyp, so nothing reads this one by itself: the build system is CMake
# (CMakeLists.txt, driven by cmake-js). It is here for tools that understand gyp alone, and it works: copied to
# binding.gyp, `node-gyp configure build` runs the CMake build and puts the addon where node-gyp users look for it.
{
  'targets': [
    {
      'target_name': 'winnow',
      'type': 'none',
      'actions': [
        {
          'action_name': 'cmake',
          'message': 'Building build/release/winnow.node with CMake',
          'inputs': ['package.json', 'CMakeLists.txt', 'native/CMakeLists.txt', 'cpp/CMakeLists.txt'],
          'outputs': ['build/release/winnow.node'],
          'action': ['node', 'scripts/build.mjs'],
        },
      ],
      'copies': [
        {
          'destination': '<(PRODUCT_DIR)',
          'files': ['build/release/winnow.node'],
        },
      ],
    },
  ],
}
