#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# erofs-share estimate of tars and of images in an OCI layout: the same as of the
# image or the tree that is made of them, for honest archives; an error that names
# the member for others. And the JSON of every kind, by its schema.

load common

setup_file()
{
	export tool=$top/build/harness/erofs-share
	utils=$("$top/scripts/images/erofs-utils")
	export mkfs=$utils/mkfs.erofs dir=$BATS_FILE_TMPDIR
	export PATH=$utils:$PATH TMPDIR=$BATS_FILE_TMPDIR
	mkdir -p "$dir"/{old,new}/{bin,lib}
	head -c 100000 /dev/urandom >"$dir/old/lib/same"
	cp "$dir/old/lib/same" "$dir/new/lib/same"
	cp "$dir/old/lib/same" "$dir/old/lib/twin"
	ln "$dir/old/lib/same" "$dir/old/bin/link"
	head -c 300000 /dev/urandom >"$dir/old/bin/daemon"
	head -c 310000 /dev/urandom >"$dir/new/bin/daemon"
	printf 'in a name of Latin-1' >"$dir/old/caf"$'\xe9'
	printf 'on two lines' >"$dir/old/two"$'\n'lines
	truncate -s 5M "$dir/old/holes"
	mkdir -p "$dir/old/$(printf 'd%.0s' {1..150})/$(printf 'e%.0s' {1..200})"
	head -c 5000 /dev/urandom >"$dir/old/$(printf 'd%.0s' {1..150})/$(printf 'e%.0s' {1..200})/deep"
	tar -C "$dir/old" -cf "$dir/old.tar" .
	tar -C "$dir/new" --format=posix -cf "$dir/new.tar" bin lib
}

# json ARGUMENT...: leave in $output what estimate says, by the schema.
json()
{
	run --separate-stderr "$tool" estimate --json "$@"
	[ "$status" -eq 0 ] || { echo "$stderr"; return 1; }
	[ -z "$stderr" ]
	by_schema <<<"$output"
}

by_schema()
{
	python3 -c 'import json, jsonschema, sys
jsonschema.Draft7Validator(json.load(open(sys.argv[1]))).validate(json.load(sys.stdin))' \
		"$top/Documentation/erofs-share-estimate.schema.json"
}

# same_as EXPECTED: fail unless $output has the numbers of EXPECTED, JSON too.
same_as()
{
	local what='[.bytes, .bytes_with_sharing, [.sources[] | .files, .bytes, .shared_bytes], .obstacles, [.pairs[].shared_bytes]]'

	diff <(jq -c "$what" <<<"$1") <(jq -c "$what" <<<"$output")
}

# refused TEXT: fail unless it could not be done, in one line that has TEXT.
refused()
{
	[ "$status" -eq 2 ]
	one_line "$1"
}

@test "an archive is what the tree is that it was made of" {
	json "$dir/old" "$dir/new"
	trees=$output
	[ "$(jq -c '[.sources[].kind]' <<<"$output")" = '["directory","directory"]' ]
	json "$dir/old.tar" "$dir/new.tar"
	[ "$(jq -c '[.sources[].kind]' <<<"$output")" = '["archive","archive"]' ]
	same_as "$trees"
	json "$dir/old.tar" "$dir/new"
	same_as "$trees"
	run "$tool" estimate "$dir/old.tar" "$dir/new"
	grep -q 'old.tar is no image yet: it shares when it is made one with mkfs.erofs --tar=f --xattr-inode-digest, which takes it unpacked (.tar)' <<<"$output"
}

@test "it is what the image is that mkfs.erofs makes of the archive" {
	"$mkfs" --quiet --tar=f --xattr-inode-digest "$dir/old.erofs" "$dir/old.tar"
	json "$dir/old.erofs" "$dir/new.tar"
	image=$output
	json "$dir/old.tar" "$dir/new.tar"
	same_as "$image"
	[ "$(jq '.saved_bytes > 100000' <<<"$output")" = true ]
}

@test "archives may be compressed, and sparse" {
	json "$dir/old.tar" "$dir/new.tar"
	plain=$output
	gzip -k "$dir/old.tar"
	json "$dir/old.tar.gz" "$dir/new.tar"
	same_as "$plain"
	xz -k0 "$dir/old.tar"
	json "$dir/old.tar.xz" "$dir/new.tar"
	same_as "$plain"
	zstd -q "$dir/old.tar"
	json "$dir/old.tar.zst" "$dir/new.tar"
	same_as "$plain"
	tar -C "$dir/old" --sparse --format=posix -cf "$dir/sparse.tar" .
	json "$dir/sparse.tar" "$dir/new.tar"
	same_as "$plain"
}

# members FILE ENTRY...: make an archive; an entry is a name with a content behind
# "=", a link with "->", a directory with "/", or a symbolic link with "~>".
members()
{
	python3 -c 'import io, sys, tarfile
with tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT) as tar:
    for entry in sys.argv[2:]:
        data = b""
        if "~>" in entry:
            name, link = entry.split("~>")
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, link
        elif "->" in entry:
            name, link = entry.split("->")
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.LNKTYPE, link
        elif entry.endswith("/"):
            info = tarfile.TarInfo(entry[:-1])
            info.type = tarfile.DIRTYPE
        else:
            name, data = entry.split("=")
            info, data = tarfile.TarInfo(name), data.encode()
            info.size = len(data)
        tar.addfile(info, io.BytesIO(data))' "$@"
}


@test "later members take the place of earlier ones, as in mkfs.erofs" {
	members "$dir/a.tar" x=one ./x=two d/ d/in=1 d/../up=3 //slash=4 l-\>up gone/f=5 gone=6
	"$mkfs" --quiet --tar=f --xattr-inode-digest "$dir/a.erofs" "$dir/a.tar"
	json "$dir/a.erofs" "$dir/new.tar"
	image=$output
	json "$dir/a.tar" "$dir/new.tar"
	same_as "$image"
	json "$dir/a.tar" "$dir/a.erofs"
	[ "$(jq '.obstacles | length' <<<"$output")" -eq 0 ]
	[ "$(jq '.pairs[0].shared_bytes == .sources[0].bytes' <<<"$output")" = true ]
}

@test "whiteouts in a tar are files, as mkfs.erofs takes them" {
	members "$dir/a.tar" x=one .wh.x=w
	json "$dir/a.tar" "$dir/new.tar"
	[ "$(jq '.sources[0].files' <<<"$output")" -eq 2 ]
}

# layout NAME TAG=LAYER,LAYER...: an OCI layout with images of these archives.
layout()
{
	python3 -c 'import gzip, hashlib, json, os, sys
root = sys.argv[1]
os.makedirs(root + "/blobs/sha256", exist_ok=True)
def blob(data):
    digest = hashlib.sha256(data).hexdigest()
    open(f"{root}/blobs/sha256/{digest}", "wb").write(data)
    return {"digest": "sha256:" + digest, "size": len(data)}
manifests = []
for image in sys.argv[2:]:
    tag, layers = image.split("=")
    manifest = {"schemaVersion": 2, "config": blob(b"{}"), "layers": []}
    for layer in layers.split(","):
        manifest["layers"].append(blob(open(layer, "rb").read()))
    entry = blob(json.dumps(manifest).encode())
    entry["annotations"] = {"org.opencontainers.image.ref.name": tag}
    if tag.startswith("multi"):
        one, two = dict(entry), dict(entry)
        one["platform"] = {"os": "linux", "architecture": "amd64"}
        two["platform"] = {"os": "linux", "architecture": "s390x"}
        two["digest"] = "sha256:" + "0" * 64
        entry = blob(json.dumps({"manifests": [two, one]}).encode())
        entry["annotations"] = {"org.opencontainers.image.ref.name": tag}
    manifests.append(entry)
json.dump({"schemaVersion": 2, "manifests": manifests}, open(root + "/index.json", "w"))
json.dump({"imageLayoutVersion": "1.0.0"}, open(root + "/oci-layout", "w"))' "$@"
}

@test "an image in an OCI layout is the tree of its layers" {
	members "$dir/base.tar" keep=1 gone=22 dir/old=333 dir/sub/older=4444 other=55555 lib~\>usr/lib usr/lib/deep=1
	members "$dir/top.tar" .wh.gone= dir/ dir/.wh..wh..opq= dir/new=666666 other=7777777 lib/more=88888888 new-\>keep
	gzip -kf "$dir/base.tar"
	zstd -qf "$dir/top.tar"
	layout "$dir/oci" "old=$dir/base.tar.gz" "new=$dir/base.tar.gz,$dir/top.tar.zst" "multi=$dir/base.tar"
	mkdir -p "$dir/flat"/{dir,lib,usr/lib}
	printf 1 >"$dir/flat/keep"
	ln "$dir/flat/keep" "$dir/flat/new"
	printf 666666 >"$dir/flat/dir/new"
	printf 7777777 >"$dir/flat/other"
	printf 88888888 >"$dir/flat/lib/more"
	printf 1 >"$dir/flat/usr/lib/deep"
	json "$dir/oci:new" "$dir/flat"
	[ "$(jq -c '[.sources[] | .files, .shared_bytes == .bytes]' <<<"$output")" = '[5,true,5,true]' ]
	[ "$(jq '.obstacles | length' <<<"$output")" -eq 0 ]

	json "$dir/oci:old" "$dir/oci:new"
	[ "$(jq -c '[.sources[] | .kind, (.layers | length)]' <<<"$output")" = '["oci",1,"oci",2]' ]
	[ "$(jq -c '.pairs[0] | [.shared_layers, .shared_layer_bytes]' <<<"$output")" = "[1,$(stat -c %s "$dir/base.tar.gz")]" ]
	[ "$(jq -r '.sources[0].layers[0].digest' <<<"$output")" = "sha256:$(sha256sum <"$dir/base.tar.gz" | cut -d ' ' -f 1)" ]
	run "$tool" estimate "$dir/oci:old" "$dir/oci:new"
	grep -q '^Layers of 1 and 2 that are the same: 1, ' <<<"$output"

	[ "$(uname -m)" != x86_64 ] || {
		json "$dir/oci:multi" "$dir/base.tar"
		[ "$(jq '.sources[0] | .shared_bytes == .bytes' <<<"$output")" = true ]
	}
}

@test "what is wrong with a layout is named" {
	members "$dir/one.tar" a=1
	layout "$dir/bad" "a=$dir/one.tar" "b=$dir/one.tar"
	run --separate-stderr "$tool" estimate "$dir/bad:c" "$dir/new"
	refused 'expected an image with the tag c; there are: a, b'
	run --separate-stderr "$tool" estimate "$dir/bad" "$dir/new"
	refused "it is an OCI layout; expected an image of it by its tag: $dir/bad:a, $dir/bad:b"
	blob=$dir/bad/blobs/sha256/$(sha256sum <"$dir/one.tar" | cut -d ' ' -f 1)
	printf x >>"$blob"
	run --separate-stderr "$tool" estimate "$dir/bad:a" "$dir/new"
	refused "$blob: expected contents with the digest"
	sed -i 's,sha256:[0-9a-f]*,sha256:../../../../etc/passwd,' "$dir/bad/index.json"
	run --separate-stderr "$tool" estimate "$dir/bad:a" "$dir/new"
	refused 'expected digests of sha256: and 64 digits'
	echo '[[[[' >"$dir/bad/index.json"
	run --separate-stderr "$tool" estimate "$dir/bad:a" "$dir/new"
	refused 'expected a JSON object'
}

@test "hostile archives are an error that names the member, and no bytes on a disk" {
	members "$dir/a.tar" file=1 file/below=2
	run --separate-stderr "$tool" estimate "$dir/a.tar" "$dir/new"
	refused 'a.tar: member file/below lies below file'
	members "$dir/a.tar" link-\>../../etc/passwd
	run --separate-stderr "$tool" estimate "$dir/a.tar" "$dir/new"
	refused 'member link is a link to ../../etc/passwd, which is no file before it'
	members "$dir/a.tar" "$(printf 'n%.0s' {1..300})=1"
	run --separate-stderr "$tool" estimate "$dir/a.tar" "$dir/new"
	refused 'a.tar: member nnn'
	# 8 EiB of zeroes, and no end of them.
	python3 -c 'import sys, tarfile
with open(sys.argv[1], "wb") as file:
    info = tarfile.TarInfo("huge")
    info.size = 1 << 62
    file.write(info.tobuf(tarfile.GNU_FORMAT) + bytes(10240))' "$dir/a.tar"
	run --separate-stderr timeout 20 "$tool" estimate "$dir/a.tar" "$dir/new"
	refused 'member huge of 4611686018427387904 bytes: more than'
	head -c 50000 "$dir/old.tar" >"$dir/a.tar"
	run --separate-stderr "$tool" estimate "$dir/a.tar" "$dir/new"
	refused 'a.tar: expected a sound tar archive'
	echo 'no archive at all' >"$dir/a.tar"
	run --separate-stderr "$tool" estimate "$dir/a.tar" "$dir/new"
	refused 'a.tar: expected an erofs image or a directory, or a tar archive'
	mkfifo "$dir/fifo"
	run --separate-stderr timeout 20 "$tool" estimate "$dir/fifo" "$dir/new"
	[ "$status" -eq 2 ]
}

@test "a small archive or layout has no memory, stack or time out of proportion" {
	# Each name needs two thousand directories that are no members.
	python3 -c 'import sys, tarfile
with tarfile.open(sys.argv[1], "w:gz", format=tarfile.PAX_FORMAT) as tar:
    for i in range(300):
        tar.addfile(tarfile.TarInfo("x%d/" % i + "a/" * 2030 + "f"))' "$dir/deep.tgz"
	[ "$(stat -c %s "$dir/deep.tgz")" -lt 20000 ]
	run --separate-stderr bash -c 'ulimit -v 1000000 && exec timeout 60 "$@"' - "$tool" estimate "$dir/deep.tgz" "$dir/new"
	refused 'deep.tgz: its names take more than'

	members "$dir/one.tar" a=1
	layout "$dir/nested" "a=$dir/one.tar"
	python3 -c 'import sys
text = open(sys.argv[1]).read()
at = text.index("\"digest\"")
open(sys.argv[1], "w").write(text[:at] + "\"x\": " + "[" * 1000000 + "]" * 1000000 + ", " + text[at:])' "$dir/nested/index.json"
	run --separate-stderr "$tool" estimate "$dir/nested:a" "$dir/new"
	refused 'index.json: expected JSON that is nested no deeper than 64'

	layout "$dir/often" "a=$(printf "$dir/one.tar,%.0s" {1..500})$dir/one.tar"
	run --separate-stderr "$tool" estimate "$dir/often:a" "$dir/new"
	refused 'expected at most 500 layers, not 501'
}

@test "archives with any byte changed are read, or named" {
	tar -C "$dir/new" -czf "$dir/small.tgz" lib
	for i in {1..60}; do
		cp "$dir/new.tar" "$dir/damaged.tar"
		[ $((i % 3)) -ne 0 ] || cp "$dir/small.tgz" "$dir/damaged.tar"
		printf "\\x$(printf %02x $((i * 37 % 256)))" |
			dd of="$dir/damaged.tar" bs=1 seek=$((i * 53 % 3000)) conv=notrunc status=none
		run --separate-stderr timeout 20 "$tool" estimate "$dir/damaged.tar" "$dir/new"
		[ "$status" -eq 0 ] || refused "$dir/damaged.tar"
	done
}

@test "the bytes of a layer that are read are those that have its digest" {
	command -v strace >/dev/null || skip "no strace"
	members "$dir/one.tar" a=1
	members "$dir/two.tar" a=1 bb=22
	gzip -kf "$dir/one.tar"
	layout "$dir/once" "a=$dir/one.tar.gz" "b=$dir/two.tar"
	blob=$(sha256sum <"$dir/two.tar" | cut -d ' ' -f 1)
	strace -f -e trace=open,openat,openat2 -o "$dir/trace" "$tool" estimate "$dir/once:a" "$dir/once:b" >/dev/null
	[ "$(grep -c "$blob" "$dir/trace")" -eq 1 ]
	# Each manifest, too.
	[ "$(grep -oE 'blobs/sha256/[0-9a-f]*' "$dir/trace" | sort | uniq -d | wc -l)" -eq 0 ]
	# What is behind the archive's end has no member, but is of the layer.
	echo behind >>"$dir/once/blobs/sha256/$blob"
	run --separate-stderr "$tool" estimate "$dir/once:a" "$dir/once:b"
	refused "$blob: expected contents with the digest"
	# A damaged one is not said to be no archive.
	blob=$(sha256sum <"$dir/one.tar.gz" | cut -d ' ' -f 1)
	echo nonsense >"$dir/once/blobs/sha256/$blob"
	run --separate-stderr "$tool" estimate "$dir/once:a" "$dir/new"
	refused "$blob: expected contents with the digest"
}

@test "an archive has no more memory and time than there is for it" {
	command -v strace >/dev/null || skip "no strace"
	# A dictionary of 4 GiB: in the head of the first block, behind that of the stream.
	members "$dir/one.tar" a=1
	xz -kf "$dir/one.tar"
	json "$dir/one.tar.xz" "$dir/new"
	python3 -c 'import struct, sys, zlib
data = bytearray(open(sys.argv[1], "rb").read())
size = (data[12] + 1) * 4
at = data.index(b"\x21\x01", 12)
data[at + 2] = 40
data[12 + size - 4:12 + size] = struct.pack("<I", zlib.crc32(bytes(data[12:12 + size - 4])))
open(sys.argv[1], "wb").write(data)' "$dir/one.tar.xz"
	run --separate-stderr "$tool" estimate "$dir/one.tar.xz" "$dir/new"
	refused 'one.tar.xz: expected a sound tar archive'

	strace -f -e trace=setrlimit,prlimit64,seccomp,prctl -o "$dir/trace" "$tool" estimate "$dir/old.tar" "$dir/new" >/dev/null
	for limit in AS CPU FSIZE CORE NOFILE NPROC; do
		grep -qE "RLIMIT_$limit, \{rlim_cur=[^R]" "$dir/trace" || { echo "no limit on $limit"; return 1; }
	done
	grep -q 'SECCOMP_MODE_FILTER' "$dir/trace"
}

@test "an archive is read without root's rights" {
	[ "$(id -u)" -eq 0 ] || skip "only root has rights to give up"
	command -v strace >/dev/null || skip "no strace"
	strace -f -e trace=setresuid,prctl -o "$dir/trace" "$tool" estimate "$dir/old.tar" "$dir/new" >/dev/null
	grep -qE 'setresuid\([1-9][0-9]+, [1-9][0-9]+, [1-9][0-9]+\) = 0' "$dir/trace"
	grep -q 'PR_SET_NO_NEW_PRIVS, 1' "$dir/trace"
}

@test "an image's JSON is by the schema, too, and a member that is not is found" {
	"$mkfs" --quiet --xattr-inode-digest "$dir/plain.erofs" "$dir/new"
	json "$dir/plain.erofs" "$dir/old"
	[ "$(jq -r '.sources[0].kind' <<<"$output")" = image ]
	jq '.sources[0].kind = "other"' <<<"$output" >"$dir/other.json"
	run by_schema <"$dir/other.json"
	[ "$status" -ne 0 ]
}
