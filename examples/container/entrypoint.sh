#!/bin/sh
# Prepares the server's directory as root, and starts the server with the privileges that
# are sealed in the launcher web. "exec gosu www-data" would be in its place.
set -eu
mkdir -p /var/lib/web
chown www-data:www-data /var/lib/web # requires CHOWN
case ${1-} in
-*) set -- server "$@" ;; # only flags of the server
esac
exec web "$@"
