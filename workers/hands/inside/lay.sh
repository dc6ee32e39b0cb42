# Makes the workspace what is given as tar, and prints the hash of each file.
mkdir -p /workspace
cd /workspace || exit
find . -mindepth 1 -delete && tar -x -f - --no-same-owner && find . -type f -printf '%P\0' | xargs -0 -r sha256sum -z --
