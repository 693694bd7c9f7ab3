//! Files of `/proc/sys/net`, `/sys/class/net` and `/run/netns` as a namespace shows them.
