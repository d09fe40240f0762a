#!/bin/sh
# Starts the executable of this bundle that fits this host, after checking its bytes. POSIX sh; needs sed, cut and sha256sum,
# and openssl where a key is given (--key FILE): SHA256SUMS is then held against its signature first.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

stop() {
  printf '%s\n%s\n' "$1" "$2" >&2
  exit 1
}

unpack="tar xf BUNDLE.tar install.sh bin SHA256SUMS SHA256SUMS.sig  (volumes: cat BUNDLE.tar.0* | tar x …; unsigned: without the last name)"
unpack_zh="tar xf 离线包.tar install.sh bin SHA256SUMS SHA256SUMS.sig（分卷：cat 离线包.tar.0* | tar x …；未签名的包不带最后一个名称）"

case "$(uname -s)/$(uname -m)" in
  Linux/x86_64 | Linux/amd64) arch=amd64 ;;
  Linux/aarch64 | Linux/arm64) arch=arm64 ;;
  *) stop "There is no executable for $(uname -s) on $(uname -m). Run it on a Linux host with x86_64 or aarch64." \
    "没有适用于 $(uname -s) $(uname -m) 的可执行文件。请在 x86_64 或 aarch64 的 Linux 主机上运行。" ;;
esac

name="bin/higress-airgap-linux-$arch"
program="$here/$name"
[ -f "$here/SHA256SUMS" ] || stop "SHA256SUMS is not here. Unpack: $unpack" "缺少 SHA256SUMS。请解包：$unpack_zh"

# One of the keys must have signed; what cannot be asked is not started.
keys=no
signed=no
before=
for word in "$@"; do
  key=
  case "$before/$word" in
    --key/*) key=$word ;;
    */--key=*) key=${word#--key=} ;;
  esac
  before=$word
  [ -n "$key" ] || continue
  keys=yes
  [ -f "$here/SHA256SUMS.sig" ] || stop "SHA256SUMS.sig is not here, and a key is given. Unpack: $unpack" \
    "已给出公钥，但缺少 SHA256SUMS.sig。请解包：$unpack_zh"
  command -v openssl >/dev/null 2>&1 || stop "openssl is not here, and a key is given: check SHA256SUMS on a host with openssl, then start bin/ yourself." \
    "已给出公钥，但本机没有 openssl：请在有 openssl 的主机上校验 SHA256SUMS，再自行启动 bin/ 中的程序。"
  if openssl pkey -pubin -in "$key" -outform DER 2>/dev/null | od -An -v -tx1 | tr -d ' \n' | grep -q 06082a811ccf5501822d; then
    # SM2, which OpenSSL 3 checks under the identity of GM/T 0009.
    case "$(openssl version)" in
      "OpenSSL "[3-9]*) ;;
      *) stop "The key is one of SM2, and openssl is not of version 3: $(openssl version). Check SHA256SUMS on a host with OpenSSL 3 or GmSSL, then start bin/ yourself." \
        "公钥为 SM2，而本机 openssl 不是 3.x 版本：$(openssl version)。请在有 OpenSSL 3 或 GmSSL 的主机上校验 SHA256SUMS，再自行启动 bin/ 中的程序。" ;;
    esac
    how="-sm3 -sigopt distid:1234567812345678"
  else
    how="-sha256"
  fi
  # shellcheck disable=SC2086 # words, on purpose
  if openssl dgst $how -verify "$key" -signature "$here/SHA256SUMS.sig" "$here/SHA256SUMS" >/dev/null 2>&1; then signed=yes; fi
done
[ "$keys" = "$signed" ] || stop "SHA256SUMS was not signed with the key that is given. Nothing was started." \
  "SHA256SUMS 不是用所给密钥签名的。未启动任何程序。"

wanted=$(sed -n "s#^\([0-9a-f]\{64\}\)  $name\$#\1#p" "$here/SHA256SUMS")
[ -n "$wanted" ] || stop "This bundle carries no $name. Use an installed higress-airgap, or build the bundle with the executables." \
  "本包未携带 $name。请使用已安装的 higress-airgap，或在构建时带上可执行文件。"
[ -f "$program" ] || stop "$name is not here. Unpack: $unpack" "缺少 $name。请解包：$unpack_zh"

# Over a hundred MiB: from a slow stick that takes a while, which would look like nothing. Who asks for JSON reads JSON only.
words=$*
(
  seconds=0
  while sleep 3 >/dev/null 2>&1; do
    seconds=$((seconds + 3))
    case " $words " in *" --output json "* | *" --output=json "*) ;; *) printf '%s\n' "sha256: $name … $seconds s" >&2 ;; esac
  done
) &
waiting=$!
got=$(sha256sum "$program" | cut -c1-64)
kill "$waiting" 2>/dev/null || true
wait "$waiting" 2>/dev/null || true
[ "$wanted" = "$got" ] || stop "$name is damaged: wanted $wanted, got $got. Copy the bundle again." \
  "$name 已损坏：应为 $wanted，实为 $got。请重新拷贝离线包。"

[ -x "$program" ] || chmod +x "$program" 2>/dev/null || true
status=0
error=$(LC_ALL=C "$program" --version 2>&1) || status=$?
if [ "$status" -ne 0 ]; then
  case "$status/$error" in
    *GLIBC_* | *GLIBCXX_* | *CXXABI_*) stop "The C library of this host is too old: glibc 2.28 and the libstdc++ of GCC 8 are needed. Run it on a newer host, or in a container." \
      "本机 C 库过旧：需要 glibc 2.28 及 GCC 8 的 libstdc++。请在较新的主机或容器中运行。" ;;
    *"shared librar"*) stop "A library is missing on this host: $error" "本机缺少运行库：$error" ;;
    *"ormat error"*) stop "$name is not for the processor of this host ($(uname -m))." "$name 不适用于本机处理器（$(uname -m)）。" ;;
    126/*) stop "Programs may not run from $here (mounted noexec). Unpack the bundle on another disk." \
      "$here 不允许执行程序（以 noexec 挂载）。请解包到其他磁盘。" ;;
    127/*) stop "This host has no glibc (is it Alpine?). Run it on a host with glibc 2.28 or newer, or in a container." \
      "本机没有 glibc（是否为 Alpine？）。请在 glibc 2.28 及以上的主机或容器中运行。" ;;
    *) stop "$name does not start ($status): $error" "$name 无法启动（$status）：$error" ;;
  esac
fi
# What is to be typed next begins with this script, wherever that is typed.
export HIGRESS_AIRGAP_INSTALLER="$here/${0##*/}"
exec "$program" "$@"
