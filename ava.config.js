// The tests are compiled to build/test (tsconfig.json) and run as plain JavaScript: no loader, real worker files.
export default {
  files: ['build/test/test/**/*.test.js'],
  workerThreads: false, // A crash of the addon ends one test file's process, not the whole run.
  timeout: '5m',
};
