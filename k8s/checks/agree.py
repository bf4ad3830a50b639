"""Checks that what has to be written in several files is the same in all of them.

Versions: Cargo.toml, components/release (tags and labels), docker-bake.hcl, Dockerfile and compose.yaml.
Programs: the targets of the Dockerfile, docker-bake.hcl, the tags in components/release, the images in overlays/eks.
Crates: each member of the workspace has its manifest in the Dockerfile's dependency layer and its folder in the context.
Images of others: compose.yaml has the tags of components/release.

Exit codes: 0 all agree, 1 something does not. Needs PyYAML.
"""

import pathlib
import re
import sys
import tomllib

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
mistakes = []


def read(path):
    return (ROOT / path).read_text()


def same(what, where, found, wanted):
    if found != wanted:
        mistakes.append(f"{where}: {what} is {found}, elsewhere {wanted}")


def tags(component):
    return {image["name"]: image["newTag"] for image in component["images"]}


def main():
    cargo = tomllib.loads(read("Cargo.toml"))["workspace"]
    version = cargo["package"]["version"]
    dockerfile = read("Dockerfiles/Dockerfile")
    bake = read("docker-bake.hcl")
    release_file = "k8s/components/release/kustomization.yaml"
    release = yaml.safe_load(read(release_file))
    compose_text = read("compose.yaml")

    programs = sorted(set(re.findall(r"^FROM runtime AS (\S+)$", dockerfile, re.M)))
    block = re.search(r"program = \[(.*?)\]", bake, re.S)
    same("the list of programs", "docker-bake.hcl", sorted(re.findall(r'"([^"]+)"', block[1])), programs)
    ours = {name.removeprefix("bookwatch/"): tag for name, tag in tags(release).items() if name.startswith("bookwatch/")}
    same("the list of programs", release_file, sorted(ours), programs)
    eks = yaml.safe_load(read("k8s/overlays/eks/kustomization.yaml"))
    for image in eks["images"]:
        name = image["name"].removeprefix("bookwatch/")
        same("the end of the name of " + name, "k8s/overlays/eks", image["newName"].endswith("/bookwatch/" + name), True)

    for program, tag in ours.items():
        same(f"the tag of {program}", release_file, tag, version)
    for patch in release["patches"]:
        for value in re.findall(r"value: (\S+)", patch["patch"]):
            same("the version label", release_file, value, version)
    same("VERSION", "docker-bake.hcl", re.search(r'"VERSION" \{.*?default\s+= "([^"]+)"', bake, re.S)[1], version)
    same("VERSION", "Dockerfiles/Dockerfile", re.search(r"^ARG VERSION=(\S+)$", dockerfile, re.M)[1], version)
    for found in set(re.findall(r"\$\{VERSION:-([^}]+)\}", compose_text)):
        same("VERSION", "compose.yaml", found, version)

    for name in ("BUILD_IMAGE", "RUNTIME_IMAGE"):
        default = re.search(rf"^ARG {name}=(\S+)$", dockerfile, re.M)[1]
        same(name, "docker-bake.hcl", re.search(rf'"{name}" \{{.*?default\s+= "([^"]+)"', bake, re.S)[1], default)

    copied = re.findall(r"^COPY (?:\S+ )*?(\S+/)Cargo\.toml \1$", dockerfile, re.M)
    same("the manifests of the dependency layer", "Dockerfiles/Dockerfile", sorted(copied), sorted(m + "/" for m in cargo["members"]))
    context = [line.removeprefix("!") for line in read(".dockerignore").splitlines() if line.startswith("!")]
    for member in cargo["members"]:
        if not any(member == folder or member.startswith(folder + "/") for folder in context):
            mistakes.append(f".dockerignore: {member} is not in the build context")

    others = tags(release)
    for service, settings in yaml.safe_load(compose_text)["services"].items():
        name, _, tag = settings["image"].rpartition(":")
        if name in others and not name.startswith("bookwatch/"):
            same(f"the tag of {name}", f"compose.yaml, {service}", tag, others[name])

    for mistake in mistakes:
        print(mistake, file=sys.stderr)
    print(f"version {version}, {len(programs)} programs, {len(cargo['members'])} crates: {len(mistakes)} disagree")
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
