# Reads the answer of the service.
set -eu
page=$(curl -sS --max-time 10 http://127.0.0.1:8001/)
test "$page" = 'hello from node'
echo works
