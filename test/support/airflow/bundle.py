"""Makes bundles of python/airflow-provider-dagmount and asks them, as Airflow would. A request is a line of JSON,
{"name": …, "call": "make" | "initialize" | "refresh" | "tell", "kwargs": {…}, "file": …}; so is each answer: what the
bundle says of itself, the text of that file below its path, and how the call ended."""

import json
import sys
import time

from airflow_dagmount import DagmountBundle, MountUnavailable, VersionUnavailable

bundles: dict[str, DagmountBundle] = {}


def text_of(path):
    try:
        return path.read_text()
    except OSError as error:
        return f"{type(error).__name__} {error.errno}"


def answer_to(request):
    name, call = request["name"], request["call"]
    error = None
    began = time.monotonic()
    try:
        if call == "make":
            bundles[name] = DagmountBundle(name="dags", **request["kwargs"])
        elif call != "tell":
            getattr(bundles[name], call)()
    except (MountUnavailable, VersionUnavailable) as raised:
        error = {"kind": type(raised).__name__, "code": raised.code, "text": str(raised)}
    took = time.monotonic() - began
    bundle = bundles[name]
    version = bundle.get_current_version()
    return {
        "error": error,
        "seconds": took,
        "path": str(bundle.path),
        "version": getattr(version, "version", version),
        "supportsVersioning": bundle.supports_versioning,
        "isInitialized": bundle.is_initialized,
        "text": text_of(bundle.path / request["file"]) if "file" in request else None,
    }


print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    print(json.dumps(answer_to(json.loads(line))), flush=True)
