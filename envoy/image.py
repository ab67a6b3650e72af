#!/usr/bin/env python3
"""Packs the filter as OCI images without Docker (`make image`).

Istio, Envoy Gateway and others that follow the Wasm image specification accept two forms:

* target/image, the usual form: an OCI layout whose image has one gzip layer with the file plugin.wasm.
  target/transponder-image.tar is the same image for `docker load` and `skopeo copy docker-archive:...`.
* target/artifact: an OCI layout whose manifest has the module itself as a layer with its own media type.

With NATIVE=1 there is a third, for clusters that mount images as volumes:

* target/native-image: an OCI layout with an image for each architecture, whose one layer has the native module
  libtransponder.so.

The same modules, version and commit give the same bytes and so the same digests. To publish them:

    skopeo copy oci:target/image docker://registry.example.com/transponder:0.2.0
    skopeo copy --all oci:target/native-image docker://registry.example.com/transponder:0.2.0-native
"""

import argparse
import gzip
import hashlib
import io
import json
import shutil
import struct
import subprocess
import sys
import tarfile
from pathlib import Path

sys.dont_write_bytecode = True
import run

OCI = "application/vnd.oci.image"
WASM = "application/vnd.module.wasm"
IMAGE_NAME = "transponder"
# By the field `e_machine` of an ELF file, the names of the OCI image specification.
ARCHITECTURES = {62: "amd64", 183: "arm64"}
# What Envoy looks for in a module.
ENTRY = b"envoy_dynamic_module_on_program_init\0"


class Layout:
    """An OCI image layout: blobs under the names of their digests, and an index with one manifest."""

    def __init__(self, directory):
        self.directory = directory
        shutil.rmtree(directory, ignore_errors=True)
        self.write("oci-layout", to_json({"imageLayoutVersion": "1.0.0"}))

    def write(self, name, data):
        file = self.directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)

    def add(self, media_type, data):
        """Stores a blob. Returns its descriptor."""
        digest = hashlib.sha256(data).hexdigest()
        self.write(f"blobs/sha256/{digest}", data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    def finish(self, manifest, tag):
        """Stores the manifest and the index that names it. Returns its digest."""
        descriptor = self.add(manifest["mediaType"], to_json(manifest))
        named = {**descriptor, "annotations": {"org.opencontainers.image.ref.name": tag}}
        index = {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": [named]}
        self.write("index.json", to_json(index))
        return descriptor["digest"]


def to_json(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def tar(files):
    """Packs (name, bytes) pairs as a tar without times and owners, so that every machine gives the same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in sorted(files):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            member.mode = 0o644
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def annotations():
    package = package_metadata()
    image = {
        "title": package["name"],
        "description": package["description"],
        "version": package["version"],
        "licenses": package["license"],
    }
    if commit := revision():
        image["revision"] = commit
    return {f"org.opencontainers.image.{key}": value for key, value in image.items()}


def package_metadata():
    command = ["cargo", "metadata", "--no-deps", "--format-version=1"]
    metadata = json.loads(subprocess.run(command, check=True, cwd=run.ROOT, stdout=subprocess.PIPE).stdout)
    return next(package for package in metadata["packages"] if package["name"] == "transponder")


def revision():
    """Returns the commit, or None in a source archive."""
    command = ["git", "-C", str(run.ROOT), "rev-parse", "HEAD"]
    try:
        answer = subprocess.run(command, check=False, capture_output=True, text=True)
    except OSError:
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def image_manifest(layout, file, architecture, labels):
    """Stores an image with one layer with one file. Istio takes the last layer, and refuses zstd. Returns the manifest."""
    layer = tar([file])
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {"Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        "history": [{"comment": file[0]}],
    }
    return {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": layout.add(f"{OCI}.config.v1+json", to_json(config)),
        "layers": [layout.add(f"{OCI}.layer.v1.tar+gzip", gzip.compress(layer, mtime=0))],
        "annotations": labels,
    }


def write_image(directory, module, labels, tag):
    layout = Layout(directory)
    # The architecture that a Dockerfile with `FROM scratch` gives on most machines. Wasm runs on any.
    return layout.finish(image_manifest(layout, ("plugin.wasm", module), "amd64", labels), tag)


def write_native_image(directory, files, labels, tag):
    """Writes an index with an image for each architecture."""
    modules = {}
    for file in files:
        module = file.read_bytes()
        name = architecture(file, module)
        if name in modules:
            run.fail(f"{file} is a second module for {name}")
        modules[name] = module
    layout = Layout(directory)
    images = []
    for name, module in sorted(modules.items()):
        manifest = image_manifest(layout, ("libtransponder.so", module), name, labels)
        descriptor = layout.add(manifest["mediaType"], to_json(manifest))
        images.append({**descriptor, "platform": {"architecture": name, "os": "linux"}})
    return layout.finish(
        {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": images, "annotations": labels}, tag
    )


def architecture(file, module):
    if not module.startswith(b"\x7fELF") or ENTRY not in module:
        run.fail(f"{file} is no native module of Envoy")
    (machine,) = struct.unpack_from("<H", module, 18)
    if machine not in ARCHITECTURES:
        run.fail(f"{file} is for a machine without a name here: {machine}")
    return ARCHITECTURES[machine]


def write_artifact(directory, module, labels, tag):
    layout = Layout(directory)
    content = layout.add(f"{WASM}.content.layer.v1+wasm", module)
    # Istio requires exactly two layers, and finds the module by its type.
    return layout.finish(
        {
            "schemaVersion": 2,
            "mediaType": f"{OCI}.manifest.v1+json",
            "config": layout.add(f"{WASM}.config.v1+json", b"{}"),
            "layers": [content, layout.add(f"{WASM}.config.v1+json", b"{}")],
            "annotations": labels,
        },
        tag,
    )


def write_archive(file, layout, tag):
    """The layout in a tar, with the list of images that `docker load` looks for."""
    files = [(str(path.relative_to(layout)), path.read_bytes()) for path in layout.rglob("*") if path.is_file()]
    index = json.loads((layout / "index.json").read_text(encoding="utf-8"))
    manifest = json.loads((layout / blob(index["manifests"][0])).read_text(encoding="utf-8"))
    image = {
        "Config": blob(manifest["config"]),
        "RepoTags": [f"{IMAGE_NAME}:{tag}"],
        "Layers": [blob(layer) for layer in manifest["layers"]],
    }
    file.write_bytes(tar([*files, ("manifest.json", to_json([image]))]))


def blob(descriptor):
    return f"blobs/{descriptor['digest'].replace(':', '/')}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default=run.ROOT / "target", type=Path, help="directory (%(default)s)")
    parser.add_argument("--native", action="store_true", default=run.wants_native(), help="pack the native module too")
    parser.add_argument(
        "--native-module",
        type=Path,
        action="append",
        default=[],
        help="a native module for another architecture, such as target/aarch64-unknown-linux-gnu/libtransponder.so; may be repeated",
    )
    args = parser.parse_args()

    module, labels = run.wasm_module().read_bytes(), annotations()
    tag = labels["org.opencontainers.image.version"]
    image = args.output / "image"
    digest = write_image(image, module, labels, tag)
    write_archive(args.output / "transponder-image.tar", image, tag)
    artifact_digest = write_artifact(args.output / "artifact", module, labels, tag)
    print(f"{image}:{tag} {digest}")
    print(f"{args.output / 'artifact'}:{tag} {artifact_digest}")
    if natives := [run.native_module()] * args.native + args.native_module:
        native = args.output / "native-image"
        print(f"{native}:{tag}-native {write_native_image(native, natives, labels, f'{tag}-native')}")
    print(f"sha256 of the module: {hashlib.sha256(module).hexdigest()}")


if __name__ == "__main__":
    main()
