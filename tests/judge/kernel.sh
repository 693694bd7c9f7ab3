# kernel.sh WORK SCRIPT: runs SCRIPT on the real kernel; already in mount, network and pid namespaces of its own.
# Leaves WORK/{stdout,stderr,status} and WORK/frames/NAMESPACE.
set -eu
work=$1 script=$2
mkdir -p /run/netns "$work/bin" "$work/frames" "$work/etc"
mount -t tmpfs none /run/netns
mount -t sysfs none /sys
: >"$work/etc/resolv.conf"
echo 'hosts: files' >"$work/etc/nsswitch.conf"
echo '127.0.0.1 localhost' >"$work/etc/hosts"
for file in resolv.conf nsswitch.conf hosts; do
    [ -e /etc/$file ] && mount --bind "$work/etc/$file" /etc/$file
done
ip link set lo up
real=$(command -v ip)

cat >"$work/bin/ip" <<SHIM
#!/bin/bash
# The real ip, with a capture in each namespace as long as it has a name: a capture would keep it alive.
if [ "\${1:-}" = netns ] && [[ "\${2:-}" = del* ]]; then
    for name in "\${@:3}"; do
        [ -e "$work/pid.\$name" ] && kill "\$(cat "$work/pid.\$name")" && tail --pid="\$(cat "$work/pid.\$name")" -f /dev/null
    done
fi
[ "\${1:-} \${2:-}" = "netns add" ] || exec "$real" "\$@"
"$real" "\$@"
status=\$?
if [ \$status = 0 ]; then
    "$real" netns exec "\$3" python3 "$work/capture.py" "$work/frames/\$3" </dev/null >/dev/null 2>&1 &
    echo \$! >"$work/pid.\$3"
    until [ -e "$work/frames/\$3" ]; do sleep 0.01; done
fi
exit \$status
SHIM
printf '#!/bin/sh\nexec "$@"\n' >"$work/bin/sudo"
chmod +x "$work/bin/ip" "$work/bin/sudo"

python3 "$work/capture.py" "$work/frames/host" </dev/null >/dev/null 2>&1 &
until [ -e "$work/frames/host" ]; do sleep 0.01; done
cd "$work"
set +e
env -i HOME=/root LANG=C TERM=dumb PATH="$work/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
    bash "$script" </dev/null >"$work/stdout" 2>"$work/stderr"
echo $? >"$work/status"
sleep 0.1
