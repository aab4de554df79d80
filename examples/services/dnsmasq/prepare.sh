# What the profile of dnsmasq requires. Run it as root, in this directory.
set -eu
install -m 0644 lan.conf /etc/dnsmasq-lan.conf
