"""Checks custom resources against their definitions, and gets ready what other tools need for the rest.

    schemas.py custom DEFINITIONS MANIFESTS BUILTIN SCHEMAS
        Checks the custom resources in the folder MANIFESTS of rendered manifests, where a field that no definition names
        is a mistake. Writes everything else to the folder BUILTIN, under the same file name, and the schemas to the
        folder SCHEMAS, by the names that kubeconform looks for.
    schemas.py bundled VERSION SCHEMAS
        Writes the schemas of Kubernetes VERSION (such as 1.36) that kubernetes-validate brings to the folder SCHEMAS, in
        a form that kubeconform reads without a network.

Exit codes: 0 all valid, 1 at least one custom resource is not, or has no definition. Needs kubernetes-validate, which
brings jsonschema and PyYAML.
"""

import json
import pathlib
import sys

import jsonschema
import kubernetes_validate
import yaml

# In C where there is one: some twenty times as fast.
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def definitions(folder):
    """The schema of each version of each kind, by (apiVersion, kind)."""
    found = {}
    for file in sorted(folder.glob("*.yaml")):
        for definition in yaml.load_all(file.read_text(), Loader=Loader):
            if not definition or definition.get("kind") != "CustomResourceDefinition":
                continue
            spec = definition["spec"]
            for version in spec["versions"]:
                schema = strict(version["schema"]["openAPIV3Schema"])
                # Every object has these, and their schemas are the API server's own.
                schema["properties"].update({"apiVersion": {"type": "string"}, "kind": {"type": "string"}})
                schema["properties"]["metadata"] = {"type": "object"}
                found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return found


def strict(schema):
    """A JSON schema for an OpenAPI one, in which a field that is not named is a mistake."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {
        key: {name: strict(property) for name, property in value.items()} if key == "properties" else strict(value)
        for key, value in schema.items()
        if not key.startswith("x-kubernetes-") and key not in ("nullable", "description", "default", "example")
    }
    if schema.get("x-kubernetes-int-or-string"):
        result["type"] = ["integer", "string"]
        result.pop("anyOf", None)
    elif schema.get("nullable") and "type" in result:
        result["type"] = [result["type"], "null"]
    open_ended = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if schema.get("type") == "object" and "properties" in schema and not open_ended:
        result["additionalProperties"] = False
    return result


def is_builtin(api_version):
    """Whether the API server brings this group itself: those have no dot, or end in k8s.io and are no extension."""
    group = api_version.rpartition("/")[0]
    return "." not in group or group.endswith(".k8s.io")


def custom(definitions_folder, manifests, builtin, schemas):
    known = definitions(pathlib.Path(definitions_folder))
    for (api_version, kind), schema in known.items():
        group, _, version = api_version.partition("/")
        name = f"{kind.lower()}-{group.partition('.')[0]}-{version}.json"
        (pathlib.Path(schemas) / name).write_text(json.dumps(schema))
    mistakes = checked = 0
    for file in sorted(pathlib.Path(manifests).glob("*.yaml")):
        rest = []
        for thing in yaml.load_all(file.read_text(), Loader=Loader):
            if not thing:
                continue
            if is_builtin(thing["apiVersion"]):
                rest.append(thing)
                continue
            where = f"{file.name}: {thing['kind']} {thing['metadata'].get('name')}"
            schema = known.get((thing["apiVersion"], thing["kind"]))
            if schema is None:
                print(f"{where}: no definition of {thing['apiVersion']} {thing['kind']}", file=sys.stderr)
                mistakes += 1
                continue
            checked += 1
            for error in jsonschema.Draft202012Validator(schema).iter_errors(thing):
                path = "/".join(map(str, error.absolute_path))
                print(f"{where}: /{path}: {error.message}", file=sys.stderr)
                mistakes += 1
        (pathlib.Path(builtin) / file.name).write_text(yaml.dump_all(rest, Dumper=Dumper, sort_keys=False))
    print(f"{checked} custom resources checked, {mistakes} mistakes")
    return 1 if mistakes else 0


def bundled(version, schemas):
    """Addresses on the web become names of files: nothing is fetched."""
    folder = pathlib.Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema" / f"v{version}.0-local-strict"
    for file in folder.glob("*.json"):
        schema = json.loads(file.read_text().replace('"/api/_definitions.json#', '"_definitions.json#'))
        schema.pop("$id", None)
        (pathlib.Path(schemas) / file.name).write_text(json.dumps(schema))
    return 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["custom", definitions_folder, manifests, builtin, schemas]:
            sys.exit(custom(definitions_folder, manifests, builtin, schemas))
        case ["bundled", version, schemas]:
            sys.exit(bundled(version, schemas))
        case _:
            sys.exit(__doc__)
