// Runs at install: uses a prebuilt binary if the package has one for this platform, and otherwise compiles the addon
// (npm puts its own node-gyp on the PATH of install scripts). If the host can do neither, dagmount stays installed:
// `dagmount mount` and `dagmount doctor` say what is missing.
const { spawnSync } = require('node:child_process');
const { dirname } = require('node:path');

function isPrebuilt(root) {
  process.env.PREBUILDS_ONLY = '1';
  try {
    require('node-gyp-build').path(root);
    return true;
  } catch {
    return false; // it reports this by throwing an error without a code
  }
}

const root = dirname(__dirname);
if (process.platform === 'linux' && !isPrebuilt(root)) {
  const { status } = spawnSync('node-gyp', ['rebuild'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) {
    console.error(
      'dagmount: the kernel transport could not be built. Install a C compiler, make and Python 3 ' +
        '(Debian: apt-get install build-essential python3), then run npm rebuild dagmount.',
    );
  }
}
