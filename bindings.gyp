# node-gyp and npm read only a file named binding.gyp, so nothing reads this one by itself: the build system is CMake
# (CMakeLists.txt, driven by cmake-js). It is here for tools that understand gyp alone, and it works: copied to
# binding.gyp, `node-gyp configure build` runs the CMake build and puts the addon where node-gyp users look for it.
# (`node-gyp rebuild` and `clean` remove the folder build/, llama.cpp and models of the tests included.)
{
  'targets': [
    {
      'target_name': 'winnow',
      'type': 'none',
      'actions': [
        {
          'action_name': 'cmake',
          'message': 'Building build/release/winnow.node with CMake',
          'inputs': ['scripts/build.mjs'],
          # The first is never made, so that CMake is always asked: it knows what else the addon is made from.
          'outputs': ['build/release/asked-each-time', 'build/release/winnow.node'],
          'action': ['node', 'scripts/build.mjs'],
        },
      ],
      'conditions': [
        # Elsewhere build/Release is build/release, whatever the case.
        ['OS not in ["mac", "win"]', {
          'copies': [{'destination': '<(PRODUCT_DIR)', 'files': ['build/release/winnow.node']}],
        }],
      ],
    },
  ],
}
