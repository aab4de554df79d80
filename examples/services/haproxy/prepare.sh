# What the profile of haproxy requires. Run it as root, in this directory.
set -eu
install -m 0644 front.cfg /etc/haproxy/front.cfg
