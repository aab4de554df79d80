# What the profile of unbound requires. Run it as root, in this directory.
set -eu
install -m 0644 resolver.conf /etc/unbound/resolver.conf
install -d -m 0750 -o unbound -g unbound /var/lib/unbound-resolver
