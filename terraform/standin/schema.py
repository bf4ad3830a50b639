#!/usr/bin/env python3
"""Schemas of Terraform providers, from the bindings that HashiCorp generated from them for its CDK.

    schema.py WHEELS PROVIDER TERRAFORM > schema.json

WHEELS is a folder with cdktf-cdktf-provider-<PROVIDER>, a wheel of PyPI. Its JavaScript says of each argument whether
it is a block, of which type, and whether it is required. Read are the resources, data sources and
ephemeral resources that the HCL below the folder TERRAFORM names, which is what makes this fast.
"""

import io
import json
import re
import sys
import tarfile
import zipfile
from pathlib import Path

# `name: { value: .., isBlock: .., type: .., storageClassType: .. }` of a function that writes HCL.
ARGUMENT = re.compile(
    r'^\s*"?(\w+)"?: \{\n\s*value: (.*?),\n\s*isBlock: (true|false),\n\s*type: "(\w+)",\n\s*storageClassType: "(\w+)",',
    re.MULTILINE,
)
FUNCTION = re.compile(r"^function (\w+)ToHclTerraform\(struct\) \{(.*?)^\}", re.MULTILINE | re.DOTALL)
CLASS = re.compile(r"^class (\w+) extends cdktf\.(\w+) \{(.*?)^\}", re.MULTILINE | re.DOTALL)
# What is optional can be reset.
OPTIONAL = re.compile(r"^    reset(\w+)\(\)", re.MULTILINE)
GETTER = re.compile(r"return this\.get(\w+)Attribute\('(\w+)'\)")

SIMPLE = {"string": "string", "number": "number", "boolean": "bool"}
# Optional, and given back by the provider where it is left out, which the bindings do not tell.
GIVEN_BACK = {"id", "url"}
GETTERS = {"String": "string", "Number": "number", "Boolean": "bool", "List": ["list", "string"]}


def simple(argument_type, storage):
    """The type of an attribute, as Terraform writes it in JSON."""
    for kind in ("List", "Map"):
        if storage.endswith(kind):
            inner = simple("simple", storage.removesuffix(kind))
            collection = "set" if argument_type == "set" and kind == "List" else kind.lower()
            return [collection, inner]
    return SIMPLE.get(storage, "dynamic")


class Source:
    """The JavaScript of one resource."""

    def __init__(self, text, nested_attributes):
        # Provider protocol 6 has attributes with attributes in them, which earlier ones wrote as blocks.
        self.nested_attributes = nested_attributes
        self.functions = {name: body for name, body in FUNCTION.findall(text)}
        self.classes = {name: body for name, _, body in CLASS.findall(text)}
        (root,) = [
            (name, body)
            for name, base, body in CLASS.findall(text)
            if base in ("TerraformResource", "TerraformDataSource", "TerraformProvider")
        ]
        self.root = root

    def schema(self):
        name, body = self.root
        written = body.split("synthesizeHclAttributes()")[-1]
        schema = self.block(written, body)
        for getter, attribute in GETTER.findall(body):
            known = attribute in schema["attributes"] or attribute in schema["blocks"]
            if not known and getter in GETTERS:
                schema["attributes"][attribute] = {"type": GETTERS[getter], "computed": True}
        return schema

    def block(self, written, body):
        # The bindings have no class for what stands in a provider's own block, and put tf before a name that means
        # something to JavaScript.
        optional = {name.lower().removeprefix("tf") for name in OPTIONAL.findall(body or "")}
        attributes, blocks = {}, {}
        for name, value, is_block, kind, storage in ARGUMENT.findall(written):
            required = body is not None and name.replace("_", "") not in optional
            how = {"required": required, "computed": name in GIVEN_BACK}
            if is_block == "false":
                attributes[name] = {"type": simple(kind, storage), **how}
                continue
            function = re.search(r"(\w+)ToHclTerraform", re.sub(r"cdktf\.\w+", "", value))[1]
            inner = self.block(
                self.functions[function],
                self.classes.get(f"{function[0].upper()}{function[1:]}OutputReference"),
            )
            nesting = "single" if kind == "struct" else kind
            several = "apperHcl(" in value
            nested = {"nesting": nesting, "max": 0 if several or nesting == "single" else 1, "block": inner, **how}
            if self.nested_attributes:
                attributes[name] = {"nested": nested, **how}
            else:
                blocks[name] = nested
        return {"attributes": attributes, "blocks": blocks}


def main(wheels, provider, terraform):
    (wheel,) = Path(wheels).glob(f"cdktf_cdktf_provider_{provider}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (package,) = [name for name in archive.namelist() if name.endswith(".jsii.tgz")]
        package = io.BytesIO(archive.read(package))

    used = {"resource": set(), "data": set(), "ephemeral": set()}
    for path in Path(terraform).rglob("*.tf"):
        for kind, name in re.findall(r'^(resource|data|ephemeral) "(\w+)"', path.read_text(), re.MULTILINE):
            if name.startswith(f"{provider}_"):
                used[kind].add(name)

    folders = {"provider": "provider"}
    for kind, names in used.items():
        for name in names:
            # An ephemeral resource takes what the data source of its name takes; the bindings have none.
            path = (name.removeprefix(f"{provider}_") if kind == "resource" else f"data_{name}").replace("_", "-")
            folders.setdefault(path, path)
    texts = dict.fromkeys(folders, "")
    with tarfile.open(fileobj=package) as archive:
        for member in archive:
            parts = member.name.split("/")
            if len(parts) > 3 and parts[1] == "lib" and parts[2] in texts and member.name.endswith(".js"):
                texts[parts[2]] += archive.extractfile(member).read().decode() + "\n"

    nested = provider == "helm"
    schema = lambda path: Source(texts[path], nested).schema()
    resources = {name: schema(name.removeprefix(f"{provider}_").replace("_", "-")) for name in used["resource"]}
    data = {name: schema(f"data_{name}".replace("_", "-")) for name in used["data"]}
    ephemeral = {name: schema(f"data_{name}".replace("_", "-")) for name in used["ephemeral"]}
    version = re.search(r"providerVersion: '([^']+)'", texts["provider"])[1]
    json.dump(
        {"version": version, "provider": schema("provider"), "resources": resources, "data": data, "ephemeral": ephemeral},
        sys.stdout,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
