# What the profile of chrony requires. Run it as root, in this directory.
set -eu
install -m 0644 server.conf /etc/chrony/server.conf
install -d -m 0750 -o _chrony -g _chrony /var/lib/chrony-server
