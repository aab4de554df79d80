# What the profile of the Python service requires. Run it as root, in this directory.
set -eu
install -D -m 0644 server.py /srv/python-service/server.py
