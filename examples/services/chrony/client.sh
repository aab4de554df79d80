# Asks the server for the time, as an NTP client that sets no clock, and for its status.
set -eu
setpriv --reuid=65534 --regid=65534 --clear-groups \
    chronyd -U -u nobody -Q -t 10 'pidfile /tmp/query.pid' 'server 127.0.0.1 iburst maxsamples 1' 2>&1 | grep 'System clock wrong'
chronyc -n tracking | grep 'Stratum *: 10'
echo works
