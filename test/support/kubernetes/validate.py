"""Holds manifests against the schemas of Kubernetes, strictly: validate.py VERSIONS FILE...

VERSIONS are separated by commas. Prints one line of JSON for each fault: {file, kind, name, version, error}. Kinds of the
Prometheus Operator are held against monitoring.json, beside this file. A kind without a schema is a fault, and so is a
key that stands twice in one mapping.
"""

import json
import pathlib
import sys

import jsonschema
import kubernetes_validate
import yaml

monitoring = json.loads((pathlib.Path(__file__).parent / "monitoring.json").read_text())


class OnceLoader(yaml.SafeLoader):
    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in {key for key in keys if keys.count(key) > 1}:
            raise yaml.constructor.ConstructorError(None, None, f"{key} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


OnceLoader.add_constructor(
    yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, lambda loader, node: loader.construct_mapping(node, deep=True)
)


def faults(resource, version):
    if resource["apiVersion"] == "monitoring.coreos.com/v1":
        schema = monitoring["definitions"].get(resource["kind"])
        if schema is None:
            return [f"no schema for {resource['kind']}"]
        validator = jsonschema.Draft7Validator({**schema, "definitions": monitoring["definitions"]})
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(resource)]
    try:
        kubernetes_validate.validate(resource, version, strict=True)
    except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
        return [str(getattr(error, "message", error))]
    return []


versions, files = sys.argv[1].split(","), sys.argv[2:]
for file in files:
    try:
        resources = [each for each in yaml.load_all(pathlib.Path(file).read_text(), OnceLoader) if each]
    except yaml.YAMLError as error:
        print(json.dumps({"file": file, "error": str(error)}))
        continue
    for resource in resources:
        for version in versions:
            for error in faults(resource, version):
                name = resource["metadata"].get("name")
                where = {"file": file, "kind": resource["kind"], "name": name, "version": version}
                print(json.dumps({**where, "error": error}))
