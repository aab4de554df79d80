# What the profile of tcpdump requires. Run it as root, in this directory.
set -eu
install -d -m 0750 -o tcpdump -g tcpdump /var/lib/capture
