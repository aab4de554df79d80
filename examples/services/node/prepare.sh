# What the profile of the Node.js service requires. Run it as root, in this directory.
set -eu
install -D -m 0644 server.js /srv/node-service/server.js
