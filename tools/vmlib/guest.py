# SPDX-License-Identifier: GPL-2.0-only
"""The scripts that run inside the guest.

The command writes to pipes, as it would in a pipeline, and two relays copy these to virtio-serial ports.
Init and the relays run under SCHED_FIFO: a scheduler under test, which governs everything else, can
neither delay nor lose the command's output and its end.
"""

import shlex
from collections.abc import Sequence

from .tree import Tree

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/root"

# The virtio-serial ports, as /dev/vport0pN.
CONTROL_PORT, OUT_PORT, ERR_PORT, FIRST_GET_PORT = 1, 2, 3, 4
MAX_GETS = 24

INIT = f"""\
#!/usr/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
export PATH={SEARCH_PATH}
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
ln -s /proc/self/fd /dev/fd
ln -s fd/0 /dev/stdin
ln -s fd/1 /dev/stdout
ln -s fd/2 /dev/stderr
mount -t proc proc /proc
mount -a
exec </dev/null >/dev/console 2>&1
chrt --fifo -p 50 $$
hostname guest
ifconfig lo up
. /etc/vm/gets

port() {{
  until [ -c /dev/vport0p$1 ]; do usleep 2000; done
}}

# Kills every process outside init's own session, to which kernel threads and relays belong, too.
kill_rest() {{
  for pass in 1 2 3 4 5; do
    found=
    for stat in /proc/[0-9]*/stat; do
      read -r line 2>/dev/null <$stat || continue
      set -- ${{line##*) }}
      if [ "$4" != 0 ] && [ "$1" != Z ]; then
        kill -KILL ${{line%% *}} && found=yes
      fi
    done
    [ "$found" ] || return
    usleep 10000
  done
}}

# PORT FILE: sends FILE, file or folder, as an archive; nothing if there is none. What is in /proc or /sys is
# copied first: files there do not say how long they are.
give() {{
  real=$(readlink -f "$2") && [ -e "$real" ] || return
  case $real in
    /proc/* | /sys/*)
      mkdir /run/vm/get$1
      cp -r "$real" /run/vm/get$1 2>/dev/null
      real=/run/vm/get$1/$(basename "$real") ;;
  esac
  tar -cf - -C "$(dirname "$real")" "./$(basename "$real")" >/dev/vport0p$1
}}

mkdir /run/vm
mkfifo /run/vm/out /run/vm/err
port {CONTROL_PORT}; port {OUT_PORT}; port {ERR_PORT}
exec 5>/dev/vport0p{CONTROL_PORT}
echo ready >&5
cat </run/vm/out >/dev/vport0p{OUT_PORT} 5>&- & relays=$!
cat </run/vm/err >/dev/vport0p{ERR_PORT} 5>&- & relays="$relays $!"
chrt --other 0 setsid /etc/vm/job >/run/vm/out 2>/run/vm/err 5>&-
echo "exit $?" >&5
kill_rest 2>/dev/null
wait $relays
cd /root
gets
echo done >&5
poweroff -f
"""

FSTAB = """\
sysfs /sys sysfs defaults 0 0
devpts /dev/pts devpts mode=620,ptmxmode=666 0 0
tmpfs /dev/shm tmpfs mode=1777 0 0
tmpfs /tmp tmpfs mode=1777 0 0
tmpfs /run tmpfs mode=755 0 0
cgroup2 /sys/fs/cgroup cgroup2 defaults 0 0
bpf /sys/fs/bpf bpf mode=700 0 0
debugfs /sys/kernel/debug debugfs defaults 0 0
tracefs /sys/kernel/tracing tracefs defaults 0 0
"""

PASSWD = """\
root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/false
user:x:1000:1000:user:/home/user:/bin/sh
"""

GROUP = """\
root:x:0:
tty:x:5:
nogroup:x:65534:
user:x:1000:
"""


def add_system_files(tree: Tree) -> None:
    """Init and the configuration that every guest has."""
    for folder in ("dev", "proc", "sys", "run", "var", "mnt", "etc", "root", "usr/local/bin", "usr/local/sbin"):
        tree.directory(folder)
    tree.directory("tmp", 0o1777)
    tree.directory("home/user", owner=1000)
    for folder in ("bin", "sbin", "lib", "lib64"):
        tree.directory("usr/" + folder)
        tree.link(folder, "usr/" + folder)
    tree.link("var/run", "/run")
    tree.link("var/tmp", "/tmp")
    tree.node("dev/console")
    tree.text("init", INIT, 0o755)
    tree.text("etc/fstab", FSTAB)
    tree.text("etc/passwd", PASSWD)
    tree.text("etc/group", GROUP)
    tree.text("etc/hostname", "guest\n")
    tree.text("etc/hosts", "127.0.0.1 localhost guest\n")
    tree.link("etc/mtab", "/proc/mounts")


def add_job(tree: Tree, command: Sequence[str], environment: Sequence[str], gets: Sequence[str]) -> None:
    """What is particular to this run: the command, and which files to hand back."""
    variables = [f"PATH={SEARCH_PATH}", "HOME=/root", "USER=root", "SHELL=/bin/sh", "LANG=C.UTF-8", "TERM=dumb"]
    words = ["exec", "/usr/bin/env", "-i", *variables, *environment, *command]
    tree.text("etc/vm/job", f"#!/bin/sh\ncd /root\n{shlex.join(words)}\n", 0o755)
    lines = [f"  give {FIRST_GET_PORT + number} {shlex.quote(path)}" for number, path in enumerate(gets)]
    tree.text("etc/vm/gets", "\n".join(["gets() {", *lines, "  :", "}", ""]))
