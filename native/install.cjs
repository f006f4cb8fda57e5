// Runs at install: a prebuilt binary is used where the package has one for this platform, otherwise the
// addon is compiled (npm puts its own node-gyp on the PATH of install scripts). A host that can do neither
// keeps an installed dagmount, which says at `dagmount mount` and `dagmount doctor` what is missing.
const { spawnSync } = require('node:child_process');
const { dirname } = require('node:path');

function isPrebuilt(root) {
  process.env.PREBUILDS_ONLY = '1';
  try {
    require('node-gyp-build').path(root);
    return true;
  } catch {
    return false; // it says so by throwing, with no code to tell by
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
