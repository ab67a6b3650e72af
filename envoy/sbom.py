#!/usr/bin/env python3
"""Lists the crates in the module as CycloneDX 1.6 (`make sbom`): target/transponder.cdx.json.

These are the crates that Cargo resolves for the wasm target, including macros but not the crates of tests.
The same module and Cargo.lock give the same bytes, so the file has neither a serial number nor a timestamp.
"""

import argparse
import hashlib
import json
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
import run

TARGET = "wasm32-unknown-unknown"


def cargo_metadata():
    command = ["cargo", "metadata", "--locked", "--format-version=1", f"--filter-platform={TARGET}"]
    return json.loads(subprocess.run(command, check=True, cwd=run.ROOT, stdout=subprocess.PIPE).stdout)


def dependencies(metadata):
    """Maps the id of each crate in the module, beginning with the root, to the ids of its own dependencies."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    needed, open_ids = {}, [metadata["resolve"]["root"]]
    while open_ids:
        current = open_ids.pop()
        if current not in needed:
            needed[current] = sorted(d["pkg"] for d in nodes[current]["deps"] if is_in_module(d))
            open_ids += needed[current]
    return needed


def is_in_module(dependency):
    return any(kind["kind"] is None for kind in dependency["dep_kinds"])


def component(package):
    return {
        "type": "library",
        "bom-ref": reference(package),
        "name": package["name"],
        "version": package["version"],
        "purl": reference(package),
        "licenses": [{"expression": " ".join(package["license"].replace("/", " OR ").split())}],
        **({"description": package["description"].strip()} if package["description"] else {}),
    }


def reference(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def bill_of_materials(module):
    metadata = cargo_metadata()
    packages = {package["id"]: package for package in metadata["packages"]}
    needed = dependencies(metadata)
    root, *libraries = (packages[id] for id in needed)
    hashes = [{"alg": "SHA-256", "content": hashlib.sha256(module).hexdigest()}]
    by_reference = lambda part: part["bom-ref"]  # noqa: E731
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**component(root), "hashes": hashes}},
        "components": sorted(map(component, libraries), key=by_reference),
        "dependencies": [
            {"ref": reference(packages[id]), "dependsOn": [reference(packages[other]) for other in others]}
            for id, others in sorted(needed.items())
        ],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default=run.ROOT / "target/transponder.cdx.json", type=Path, help="(%(default)s)")
    args = parser.parse_args()
    bill = bill_of_materials(run.wasm_module().read_bytes())
    args.output.write_text(json.dumps(bill, indent=2) + "\n", encoding="utf-8")
    print(f"{args.output}: {len(bill['components'])} crates")


if __name__ == "__main__":
    main()
