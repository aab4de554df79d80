# Reads a page of the backend through the load balancer.
set -eu
page=$(curl -sS --max-time 10 http://127.0.0.1/)
test "$page" = 'hello from the backend'
echo works
