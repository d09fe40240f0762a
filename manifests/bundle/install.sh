#!/bin/sh
# Starts the executable of this bundle that fits this host, after checking its bytes. Needs coreutils and tar only.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

stop() {
  printf '%s\n%s\n' "$1" "$2" >&2
  exit 1
}

case "$(uname -m)" in
  x86_64 | amd64) arch=amd64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) stop "No executable for $(uname -m) is in this bundle." "本包没有适用于 $(uname -m) 的可执行文件。" ;;
esac

program="$here/bin/higress-airgap-linux-$arch"
[ -f "$program" ] || stop "bin/higress-airgap-linux-$arch is not here. Unpack it: tar xf BUNDLE.tar install.sh bin SHA256SUMS" \
  "缺少 bin/higress-airgap-linux-$arch。请解包：tar xf 离线包.tar install.sh bin SHA256SUMS"

if [ -f "$here/SHA256SUMS" ]; then
  wanted=$(sed -n "s#^\([0-9a-f]\{64\}\)  bin/higress-airgap-linux-$arch\$#\1#p" "$here/SHA256SUMS")
  got=$(sha256sum "$program" | cut -c1-64)
  [ "$wanted" = "$got" ] || stop "bin/higress-airgap-linux-$arch is damaged: wanted $wanted, got $got. Copy the bundle again." \
    "bin/higress-airgap-linux-$arch 已损坏：应为 $wanted，实为 $got。请重新拷贝离线包。"
else
  stop "SHA256SUMS is not here. Unpack it too: tar xf BUNDLE.tar install.sh bin SHA256SUMS" \
    "缺少 SHA256SUMS。请一并解包：tar xf 离线包.tar install.sh bin SHA256SUMS"
fi

[ -x "$program" ] || chmod +x "$program" 2>/dev/null || true
if ! "$program" --version >/dev/null 2>&1; then
  error=$("$program" --version 2>&1 || true)
  case "$error" in
    *GLIBC_* | *GLIBCXX_* | *CXXABI_*) stop "This host's C library is too old (glibc 2.28 is needed). Run it on another host, or in a container." \
      "本机 C 库过旧（需要 glibc 2.28）。请在其他主机或容器中运行。" ;;
    *"ermission denied"*) stop "This folder does not allow programs (noexec). Unpack the bundle on another disk." \
      "该目录不允许执行程序（noexec）。请解包到其他磁盘。" ;;
    *) stop "The executable does not start: $error" "可执行文件无法启动：$error" ;;
  esac
fi
exec "$program" "$@"
