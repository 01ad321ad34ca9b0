#!/bin/sh
# Make sure that nginx is here, and with "testssl" that testssl.sh is: on the PATH, else unpacked from
# Debian's packages into .tools. Not installed: Debian's package would start a server of its own.
set -eu
unpack() {
    command -v "$2" >/dev/null && return 0
    [ -e ".tools/$3" ] && return 0
    command -v apt-get >/dev/null && command -v dpkg >/dev/null || return 1
    . scripts/debian.sh
    mkdir -p .tools/new
    (cd .tools/new && { apt-get download -qq "$1" 2>/dev/null || {
        as_root apt-get update -qq && apt-get download -qq "$1" 2>/dev/null; }; }) || return 1
    dpkg -x .tools/new/"$1"_*.deb .tools
    rm -rf .tools/new
}
need() {
    command -v "$1" >/dev/null && return 0
    . scripts/debian.sh
    debian_install "$2"
}
for wanted in nginx "$@"; do
    case $wanted in
    nginx) unpack nginx nginx usr/sbin/nginx ;;
    testssl)
        unpack testssl.sh testssl usr/bin/testssl && need hexdump bsdextrautils && need dig bind9-dnsutils
        ;;
    esac || { echo "$wanted was not found; install it" >&2; exit 1; }
done
